package lab_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

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

// punctual is how late the frames of a run may leave for it to say something of failover. A run
// on a machine with less time than that is made again, tries times at most.
const (
	punctual = 20 * time.Millisecond
	tries    = 5
)

func lateness(r *lab.Result) (worst time.Duration) {
	for _, s := range r.Streams {
		worst = max(worst, s.Late)
	}
	return worst
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
			for try := 1; ; try++ {
				var progress, log bytes.Buffer
				r, err := lab.Run(t.Context(), f, lab.Options{Yoked: binary, Progress: &progress, Log: &log})
				if err != nil {
					t.Fatalf("%v\n%s\n%s", err, progress.String(), log.String())
				}
				if r.OK {
					return
				}
				_ = r.WriteText(&progress)
				if late := lateness(r); late < punctual || try == tries {
					t.Fatalf("an expectation was not met in try %d, in which frames were sent up to %v late\n%s\n%s", try, late, progress.String(), log.String())
				} else {
					t.Logf("an expectation was not met, and frames were sent up to %v late; once more\n%s", late, progress.String())
				}
			}
		})
	}
}
