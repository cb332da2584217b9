package spine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yokelag/yoke/test/rig"
)

// The life of an aggregate by the command alone, with a daemon killed in it: forwarding
// goes on where the plane outlives the daemon, and comes back with the next where not.
func TestUpPullKillAdoptDown(t *testing.T) {
	for _, plane := range []string{"ebpf", "user"} {
		t.Run(plane, func(t *testing.T) {
			r := newHost(t, "bpf")
			before := r.settled()
			r.Start()
			r.Up("br0", "plane="+plane, "eth1", "eth2")
			if _, err := r.Yoke("why", "eth1"); err != nil {
				t.Errorf("why eth1: %v", err)
			}
			r.pulled("far1", "eth2")
			r.Kill()
			if out, _ := r.Yoke("status"); !strings.Contains(out, "no daemon") {
				t.Errorf("status without a daemon: %s", out)
			}
			if plane == "ebpf" {
				r.Here.MustPing(rig.ThereAddr)
			}
			r.Start()
			r.WaitActive("eth2")
			r.Here.MustPing(rig.ThereAddr)
			r.pulled("far2", "eth1")
			r.Must("down", "bond0")
			r.sameAs(before, "after down")
		})
	}
}

// pulled pulls a cable, and returns it when the other port is active.
func (r *host) pulled(far, active string) {
	r.T.Helper()
	r.There.SetDown(far)
	r.WaitActive(active)
	r.Here.MustPing(rig.ThereAddr)
	r.There.SetUp(far)
	r.WaitActive(active)
}

// A client from another network namespace is refused with the command that works.
func TestClientOfAnotherNamespaceIsRefused(t *testing.T) {
	r := newHost(t)
	r.Start()
	r.Here, r.There = r.There, r.Here
	out, err := r.Yoke("status")
	r.Here, r.There = r.There, r.Here
	if err == nil || !strings.Contains(out, "nsenter --net=/proc/") {
		t.Errorf("got %v: %s", err, out)
	}
}

// yoked -f runs one file in the foreground.
func TestForegroundFile(t *testing.T) {
	r := newHost(t)
	file := filepath.Join(r.Dir, "bond7.yaml")
	text := "mode: balance-xor\nplane: user\nports:\n  - eth1\n  - name: eth2\n    weight: 2\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r.Start("-f", file)
	if out := r.Must("status", "bond7"); !strings.Contains(out, "2 of 2 ports") {
		t.Errorf("got %s", out)
	}
	r.Must("down", "--all")
}
