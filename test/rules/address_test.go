package rules

import (
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// The port that an aggregate has its address from leaves with that address, and the aggregate
// goes on with it: that is said at once, in status while it is so, by the next daemon too, and among the events.
func TestReleasedPortWithTheAddressInUse(t *testing.T) {
	r := rig.New(t, "bpf")
	r.Start()
	r.Up("br0", "plane=ebpf", "eth1", "eth2")
	own := r.Here.MAC("eth1").String()
	if own != r.Here.MAC("bond0").String() {
		t.Fatalf("bond0 has %s, eth1 %s", r.Here.MAC("bond0"), own)
	}
	const says = "eth1 has its own address "
	if out := r.Must("remove", "bond0", "eth2"); strings.Contains(out, "its own address") {
		t.Errorf("a port with another address:\n%s", out)
	}
	r.Must("add", "bond0", "eth2")
	if out := r.Must("remove", "bond0", "eth1"); !strings.Contains(out, says+own+" back, and bond0 goes on with it") || !strings.Contains(out, "`ip link set dev eth1 address") {
		t.Errorf("remove says:\n%s", out)
	}
	waitEvent(r, says)
	if out := r.Must("status", "bond0"); !strings.Contains(out, says) {
		t.Errorf("status says:\n%s", out)
	}
	r.Kill()
	r.Start()
	if out := r.Must("status", "bond0"); !strings.Contains(out, says) {
		t.Errorf("status of the next daemon says:\n%s", out)
	}
	ipLink(r, "eth1", "address", "02:00:00:00:00:99")
	out := ""
	nstest.Eventually(t, 10*time.Second, func() bool {
		out = r.Must("status", "bond0")
		return !strings.Contains(out, says)
	}, "status to say so no more")
}
