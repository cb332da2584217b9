package rules

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// A file that knows an aggregate by its name from before is refused by apply with what to
// write, and who follows the events reads on without seeing any twice.
func TestRenamedAggregateInFilesAndEvents(t *testing.T) {
	r := rig.New(t, "bpf")
	r.Start()
	file := filepath.Join(r.Dir, "bond0.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("plane: ebpf\nports: [eth1, eth2]\n")
	r.Must("apply", file)
	var one, all rig.Journal
	for to, words := range map[*rig.Journal][]string{&one: {"events", "bond0", "--follow"}, &all: {"events", "--follow"}} {
		cmd := exec.Command(filepath.Join(r.Bin, "yoke"), words...)
		cmd.Env, cmd.Stdout = r.Env(), to
		r.Here.Start(cmd)
		nstest.Eventually(t, 10*time.Second, func() bool { return strings.Contains(to.String(), "plan 1") }, "events by %v; got:\n%s", words, to)
	}
	ipLink(r, "bond0", "name", "bond9")
	nstest.Eventually(t, 10*time.Second, func() bool {
		_, err := r.Yoke("set", "bond9", "miimon=50")
		return err == nil
	}, "the aggregate to have the name; log:\n%s", r.Log)
	for name, j := range map[string]*rig.Journal{"bond0": &one, "all": &all} {
		nstest.Eventually(t, 10*time.Second, func() bool { return strings.Contains(j.String(), "the configuration was changed") }, "events of %s after the rename:\n%s", name, j)
		seen := map[string]bool{}
		for line := range strings.Lines(j.String()) {
			words := strings.Fields(line)
			if len(words) < 2 {
				continue
			}
			if line = strings.ReplaceAll(line, "bond9", "bond0"); seen[line] {
				t.Errorf("%s: seen twice: %s", name, line)
			}
			seen[line] = true
		}
		if n := strings.Count(j.String(), "was renamed from bond0 to bond9"); n != 1 {
			t.Errorf("%s: the rename is told %d times:\n%s", name, n, j)
		}
	}
	out, err := r.Yoke("apply", file)
	if rig.ExitCode(err) == 0 || !strings.Contains(out, "is called bond9 since somebody renamed its device") || !strings.Contains(out, "ip link set dev bond9 name bond0") {
		t.Errorf("apply says:\n%s", out)
	}
	write("name: bond9\nplane: ebpf\nmiimon: 50\nports: [eth1, eth2]\n")
	if out := r.Must("apply", file); !strings.Contains(out, "nothing differs") {
		t.Errorf("apply of the file with the new name says:\n%s", out)
	}
	r.Must("down", "bond9")
}
