package spine

import (
	"fmt"
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// pulls is how often the cable is pulled in each direction.
const pulls = 8

// spacing is the time between the frames of a stream of 1,000 a second.
const spacing = time.Millisecond

// behindSwitches puts two switches between the hosts: eth1 leads to switch one, eth2 and
// the peer to switch two, and there is a link between the switches. A pulled eth1 leaves
// switch two believing that the aggregate is behind that link, until it hears from it.
func behindSwitches(t *testing.T) (r *host, one *nstest.NS) {
	t.Helper()
	r = emptyHost(t, "bpf")
	one, two := r.Space(), r.Space()
	// First the link between the switches: a veth whose own ifindex happens to be its
	// peer's in the other namespace has its carrier noticed up to a second late, and the
	// switch would not forward for that long.
	one.Veth("isl", two, "isl")
	r.Here.Veth("eth1", one, "host")
	r.Here.Veth("eth2", two, "host")
	r.There.Veth("eth0", two, "peer")
	r.Bridge(one, "sw1", "host", "isl")
	r.Bridge(two, "sw2", "host", "isl", "peer")
	return r, one
}

// A stream of 1,000 a second in one direction only, so that nothing flows back that
// would teach the switch: what the announcement after a failover does is seen alone. A pull is
// made again where each frame too many is a millisecond in which the daemon or the stream waited
// for a processor; where that does not end, fewer pulls are judged.
func TestOneWayStreamsOverAPull(t *testing.T) {
	for _, c := range []struct {
		name          string
		announcements int
		toPeer        bool
		least, most   uint64
		pulls         int
	}{
		{"to the peer", 1, true, 0, 2, pulls},
		{"from the peer", 1, false, 0, 5, pulls},
		// This one proves the others: without the announcement the loss is there to see.
		{"from the peer, unannounced", 0, false, 101, 1 << 32, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, one := behindSwitches(t)
			r.Start()
			r.Up("eth0", "plane=ebpf", "mode=active-backup", "primary=eth1", fmt.Sprintf("num_grat_arp=%d", c.announcements), "eth1", "eth2")
			from, to, src, dst := r.There, r.Here, rig.ThereAddr, rig.HereAddr
			if c.toPeer {
				from, to, src, dst = r.Here, r.There, rig.HereAddr, rig.ThereAddr
			}
			var lost, back []uint64
			for again := 0; len(lost) < c.pulls && again < 3*c.pulls; {
				r.WaitActive("eth1")
				r.Here.MustPing(rig.ThereAddr) // the switches know the way now
				waited, onCable := r.Waited(), one.Link("host").Attrs().Statistics.RxDropped
				n := over(t, from, to, src, dst, func() {
					one.SetDown("host")
					r.WaitActive("eth2")
				})
				waited = r.Waited() - waited
				// The end that is set down drops what comes before this end loses its carrier.
				n -= min(n, one.Link("host").Attrs().Statistics.RxDropped-onCable)
				if n > c.most && waited >= time.Duration(n-c.most)*spacing {
					t.Logf("%d lost in a pull in which there was no processor for %v; once more", n, waited)
					again++
				} else {
					lost = append(lost, n)
				}
				r.Here.MustPing(rig.ThereAddr)
				back = append(back, over(t, from, to, src, dst, func() {
					one.SetUp("host")
					r.WaitActive("eth1")
				}))
			}
			t.Logf("lost over each pull: %v; over each return: %v", lost, back)
			if len(lost) == 0 {
				t.Error("the machine had no time for one pull that says something")
			}
			for i, n := range lost {
				if n < c.least || n > c.most {
					t.Errorf("pull %d lost %d frames; must be from %d to %d", i+1, n, c.least, c.most)
				}
			}
			r.Must("down", "bond0")
		})
	}
}

// over is how many frames of a stream are lost while do is done and a while around it.
func over(t *testing.T, from, to *nstest.NS, src, dst string, do func()) uint64 {
	t.Helper()
	s := nstest.StartUDP(t, from, to, src, dst, spacing)
	s.WaitReceived(50)
	do()
	after := s.Sent() + 150
	nstest.Eventually(t, 10*time.Second, func() bool { return s.Sent() >= after }, "150 more to be sent")
	return s.Stop().Lost
}
