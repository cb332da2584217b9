package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// findYoked returns the yoked beside this binary, or else the one in PATH.
func findYoked() (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), "yoked")
		if info, err := os.Stat(beside); err == nil && info.Mode()&0o111 != 0 {
			return beside, nil
		}
	}
	path, err := exec.LookPath("yoked")
	if err != nil {
		return "", &agg.Problem{Code: "no-yoked", Rule: "yoked is neither beside yoke nor in PATH",
			Remedy: "put both binaries into one directory"}
	}
	return path, nil
}

// becomeYoked replaces this process by yoked with the arguments. It is called yoke there,
// so that its help says what to type.
func becomeYoked(args ...string) error {
	path, err := findYoked()
	if err != nil {
		return err
	}
	err = syscall.Exec(path, append([]string{"yoke"}, args...), os.Environ())
	return fmt.Errorf("run %s: %w", path, err)
}

// inspect has yoked read what there is without a daemon: saved state and the plane. It
// returns what it prints, and what it complains of.
func (a *app) inspect(ctx context.Context, name string) (out []byte, says string, err error) {
	path, err := findYoked()
	if err != nil {
		return nil, "", err
	}
	args := []string{"inspect", "--state-dir", control.StateDirPath(a.stateDir)}
	if name != "" {
		args = append(args, name)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err = cmd.Output()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return nil, "", fmt.Errorf("run %s inspect: %w", path, err)
	}
	return out, complaint.String(), err
}

func (a *app) labCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "lab ...",
		Short:              "Run networks of hosts, cables and switches from a file",
		Example:            "  yoke lab list\n  yoke lab run back-to-back",
		DisableFlagParsing: true,
		RunE:               func(_ *cobra.Command, args []string) error { return becomeYoked(append([]string{"lab"}, args...)...) },
	}
}

func (a *app) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "demo",
		Short:              "See failover, spreading and a killed daemon, without root and without changing anything here",
		Example:            "  yoke demo",
		DisableFlagParsing: true,
		RunE:               func(_ *cobra.Command, args []string) error { return becomeYoked(append([]string{"demo"}, args...)...) },
	}
}
