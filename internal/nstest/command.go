package nstest

import (
	"bytes"
	"os/exec"
	"testing"
)

// Command runs a program in the namespace to its end and returns what it printed on
// both outputs. A failure of the program fails the test with that text.
func Command(t testing.TB, n *NS, name string, args ...string) string {
	t.Helper()
	out, err := n.Output(name, args...)
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return out
}

// Output is Command for programs that may fail.
func (n *NS) Output(name string, args ...string) (string, error) {
	cmd := exec.CommandContext(n.t.Context(), name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := n.Run(cmd.Start); err != nil {
		return "", err
	}
	err := cmd.Wait()
	return out.String(), err
}

// Start starts a program in the namespace and kills it at the end of the test, if it
// is still there.
func (n *NS) Start(cmd *exec.Cmd) {
	n.t.Helper()
	if err := n.Run(cmd.Start); err != nil {
		n.t.Fatalf("start %v: %v", cmd.Args, err)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its exit is the test's to judge, by ProcessState
		close(done)
	}()
	n.t.Cleanup(func() {
		_ = cmd.Process.Kill() // fails only where it has ended
		<-done
	})
}
