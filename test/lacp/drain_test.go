package lacp

import (
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// A port is removed and added again under numbered streams in both directions: nothing is
// lost, doubled or turned round. A marker goes behind the data, and its answer comes, before
// the partner hears that the port leaves.
func TestRemoveAndAddUnderTraffic(t *testing.T) {
	a, b := newPair(t, "ebpf", 2)
	const every = 100 * time.Microsecond
	out := nstest.StartUDP(t, a.Here, b.Here, rig.HereAddr, rig.ThereAddr, every)
	in := nstest.StartUDP(t, b.Here, a.Here, rig.ThereAddr, rig.HereAddr, every)
	runs := func() {
		before := out.Received()
		nstest.Eventually(t, 10*time.Second, func() bool { return out.Received() > before+1000 }, "the stream to run")
	}
	for i, port := range []string{"eth1", "eth2"} {
		runs()
		a.Must("remove", "bond0", port)
		b.WaitCarrying(1)
		answered := b.Status().Ports[i].LACP.Counters
		if answered["rx_marker"] != 1 || answered["tx_marker_response"] != 1 {
			t.Errorf("%s: the partner counts %v", port, answered)
		}
		runs()
		a.Must("add", "bond0", port)
		for _, r := range []*rig.Rig{a, b} {
			r.WaitCarrying(2)
		}
	}
	runs()
	rig.Lossless(t, "outbound", out.Stop())
	rig.Lossless(t, "inbound", in.Stop())
}
