package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

// notice tells when a program has said something, so that it has begun.
type notice struct {
	buf   bytes.Buffer
	begun chan struct{}
}

func (n *notice) Write(b []byte) (int, error) {
	if n.buf.Len() == 0 {
		close(n.begun)
	}
	return n.buf.Write(b)
}

// Ctrl-C ends a lab and the demo at once, with the shells' code and nothing left.
func TestInterruptedRunsLeaveNothing(t *testing.T) {
	nstest.Require(t, "root", "veth", "bridge")
	bin := rig.Programs(t)
	for _, words := range [][]string{{"lab", "run", "back-to-back", "--plane", "user"}, {"demo"}} {
		t.Run(words[0], func(t *testing.T) {
			dir := t.TempDir()
			cmd := exec.Command(filepath.Join(bin, "yoked"), words...)
			cmd.Env = append(os.Environ(), "TMPDIR="+dir, "XDG_RUNTIME_DIR="+dir)
			var out notice
			out.begun = make(chan struct{})
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-out.begun
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			var exit *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 {
				t.Errorf("it ended with %v:\n%s", err, &out.buf)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
				t.Errorf("it left %v", left)
			}
		})
	}
}
