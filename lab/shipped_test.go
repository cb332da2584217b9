package lab_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/lab"
)

// buildYoked builds the daemon, which a lab needs as a program of its own.
func buildYoked(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "yoked")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", binary, "../cmd/yoked")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build yoked: %v\n%s", err, out)
	}
	return binary
}

func TestShippedLabsRun(t *testing.T) {
	nstest.Require(t, "root", "veth")
	binary := buildYoked(t)
	for _, name := range lab.Names() {
		t.Run(name, func(t *testing.T) {
			f, err := lab.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range f.Switches {
				if s.Kind == "ovs" {
					nstest.Require(t, "tun", "program:ovs-vswitchd", "program:ovsdb-server", "program:ovs-vsctl", "program:ovs-appctl")
				}
			}
			var progress, log bytes.Buffer
			r, err := lab.Run(t.Context(), f, lab.Options{Yoked: binary, Progress: &progress, Log: &log})
			if err != nil {
				t.Fatalf("%v\n%s\n%s", err, progress.String(), log.String())
			}
			if !r.OK {
				_ = r.WriteText(&progress)
				t.Errorf("an expectation was not met\n%s\n%s", progress.String(), log.String())
			}
		})
	}
}
