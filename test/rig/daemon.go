package rig

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
)

// NoDaemon is the exit code of yoke where no daemon answers.
const NoDaemon = 3

// Journal is what a program says, safe to read while it is written.
type Journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write takes what the program says.
func (j *Journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(b)
}

// String is all of it so far.
func (j *Journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

// Socket is where the daemon answers.
func (r *Rig) Socket() string { return filepath.Join(r.Dir, "yoke.sock") }

// Env is the environment in which the programs meet.
func (r *Rig) Env() []string {
	return append(os.Environ(), "YOKE_SOCKET="+r.Socket(), "YOKE_STATE_DIR="+r.Dir)
}

// Command is yoked with the words, by which no file of this machine is read.
func (r *Rig) Command(words ...string) []string {
	return append([]string{filepath.Join(r.Bin, "yoked"), "--config", filepath.Join(r.Dir, "none")}, words...)
}

// Start runs yoked with the words until the test ends, and waits until it answers.
func (r *Rig) Start(words ...string) { r.T.Helper(); r.StartBy(r.Command(words...)...) }

// StartBy is Start by a whole command line, as one that begins with unshare.
func (r *Rig) StartBy(line ...string) {
	r.T.Helper()
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = r.Env()
	cmd.Stderr = r.Log
	r.daemon = cmd
	r.Here.Start(cmd)
	nstest.Eventually(r.T, patience, r.answers, "yoked to answer; its log:\n%s", r.Log)
}

// answers reports whether a daemon does, whatever it says.
func (r *Rig) answers() bool {
	r.T.Helper()
	if !nstest.Emulated() {
		_, err := r.Yoke("get", "bond0") // which, unlike status, is asked of a daemon only
		return ExitCode(err) != NoDaemon
	}
	time.Sleep(pause)
	answer, err := r.ask()
	if err == nil {
		_ = answer.Body.Close()
	}
	return err == nil
}

// PID is that of the daemon.
func (r *Rig) PID() int { return r.daemon.Process.Pid }

// Kill ends the daemon by SIGKILL and waits until it is reaped, so that none of its
// threads and files is left.
func (r *Rig) Kill() {
	r.T.Helper()
	if err := r.daemon.Process.Kill(); err != nil {
		r.T.Fatal(err)
	}
	nstest.Eventually(r.T, patience, func() bool {
		_, err := os.Stat(fmt.Sprintf("/proc/%d", r.PID()))
		return err != nil
	}, "yoked to end")
}

// Yoke runs the command in the daemon's namespace and returns what it printed on both
// outputs.
func (r *Rig) Yoke(args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(r.Bin, "yoke"), args...)
	cmd.Env = r.Env()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := r.Here.Run(cmd.Run)
	return out.String(), err
}

// Must is Yoke for a command that must not fail.
func (r *Rig) Must(args ...string) string {
	r.T.Helper()
	out, err := r.Yoke(args...)
	if err != nil {
		r.T.Fatalf("yoke %v: %v\n%s\nlog of yoked:\n%s", args, err, out, r.Log)
	}
	return out
}

// ExitCode is the exit code of a program by the error that running it gave, -1 where it
// did not run.
func ExitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	default:
		return -1
	}
}
