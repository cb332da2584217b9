package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// The exit codes.
const (
	exitOK           = 0
	exitFailed       = 1
	exitUsage        = 2
	exitNoDaemon     = 3
	exitNotPermitted = 4
	exitStandby      = 5
	exitCannotCarry  = 6
	exitDiffers      = 7
	exitInVain       = 8
	exitInterrupted  = 130
)

const exitCodesHelp = `The exit codes of yoke:

  0  done; for why: the port carries traffic
  1  refused or failed; nothing was changed but what was printed as done
  2  the command line cannot be read
  3  no daemon answers
  4  not permitted, or the daemon serves another network namespace
  5  why: the port is ready and would take over, but carries nothing now
  6  why: the port cannot carry traffic
  7  diff: files and what runs differ
  8  wait: the time was over first
  130  interrupted; the daemon goes on with what it was asked for, and "yoke status" tells

lab and demo have exit codes of their own: 0 where every expectation was met.
`

// usageError is a command line that cannot be read.
type usageError struct{ error }

// quietExit ends with a code and no further words.
type quietExit int

func (q quietExit) Error() string { return fmt.Sprintf("exit code %d", int(q)) }

// report prints err, which came of the words args, and returns the exit code it stands
// for.
func (a *app) report(err error, args []string) int {
	stderr := a.err
	var quiet quietExit
	var usage usageError
	var child *exec.ExitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &quiet):
		return int(quiet)
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "yoke: %v\n", err)
		return exitUsage
	case errors.As(err, &child):
		return child.ExitCode()
	}
	problems := control.ProblemsOf(err)
	complete(problems, args)
	if a.json() {
		return a.reportJSON(problems, code(err))
	}
	for _, p := range problems {
		fmt.Fprintf(stderr, "yoke: %v\n", p)
	}
	return code(err)
}

// reportJSON prints problems as the API does.
func (a *app) reportJSON(problems agg.Problems, code int) int {
	enc := json.NewEncoder(a.err)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(control.ErrorBody{Version: control.Version, Problems: problems}); err != nil {
		return exitFailed
	}
	return code
}

// code is the exit code of a refusal.
func code(err error) int {
	switch {
	case control.HasCode(err, control.CodeNoDaemon):
		return exitNoDaemon
	case control.HasCode(err, control.CodeNotPermitted), control.HasCode(err, control.CodeOtherNamespace):
		return exitNotPermitted
	default:
		return exitFailed
	}
}
