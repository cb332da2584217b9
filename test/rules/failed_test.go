package rules

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// An `up` that fails late, after the plane was made, or early, because it cannot be, leaves
// nothing behind: no device, no file, no pin.
func TestFailedUpLeavesNoPin(t *testing.T) {
	r := rig.New(t, "bpf", "bpffs", "tun")
	r.Here.Tap("tap0")
	r.Start()
	nothingLeft := func(what string) {
		t.Helper()
		for _, path := range []string{r.PinDir(), filepath.Join(r.Dir, "bond0.json"), filepath.Join(r.Dir, "bond0.ports.json"), filepath.Join(r.Dir, "bond0.tc.json")} {
			if _, err := os.Lstat(path); err == nil {
				t.Errorf("%s leaves %s", what, path)
			}
		}
		if r.Here.Has("bond0") {
			t.Errorf("%s leaves the device", what)
		}
	}
	if out, err := r.Yoke("up", "bond0", "plane=ebpf", "mtu=65535", "eth1", "tap0"); err == nil {
		t.Fatalf("a tap takes an MTU of 65535:\n%s", out)
	}
	nothingLeft("an MTU that a port refuses")
	nstest.Command(t, r.Here, "ip", "link", "add", "yk-bond0", "type", "bridge")
	if out, err := r.Yoke("up", "bond0", "plane=ebpf", "eth1", "eth2"); err == nil {
		t.Fatalf("a stranger has the name of the inner end:\n%s", out)
	}
	nothingLeft("a device that cannot be made")
	r.Here.Delete("yk-bond0")
	r.Must("up", "bond0", "plane=ebpf", "eth1", "eth2")
	r.Must("down", "bond0")
	nothingLeft("up and down")
}
