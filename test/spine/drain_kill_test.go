package spine

import (
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// The daemon is killed while traffic that does not pause waits to be moved. Frames go on by the
// port that has them. The next daemon ends the move as the dead one would have; a removal that
// was not made is not made, and its port carries as before.
func TestKillInTheMiddleOfADrain(t *testing.T) {
	set := func(words ...string) []string { return append([]string{"set", "bond0"}, words...) }
	for _, c := range []struct {
		name  string
		words []string
		move  []string
		done  func(s agg.Status) bool
	}{
		{"switch", []string{"mode=active-backup", "eth1", "eth2"}, set("active_slave=eth2"), active("eth2")},
		{"shares", []string{"mode=balance-xor", "eth1", "eth2"}, set("eth1,weight=1", "eth2,weight=60000"), nearlyAll("eth2")},
		{"removal", []string{"mode=balance-xor", "eth1", "eth2"}, []string{"remove", "bond0", "eth1"}, func(s agg.Status) bool {
			return s.Carrying == 2 && s.Plan.Shares["eth1"] == 128
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newHost(t, "bpf")
			r.Start()
			// Long enough that the daemon dies in the middle.
			r.Up("br0", append([]string{"plane=ebpf", "drain_timeout=5s"}, c.words...)...)
			out := nstest.StartUDP(t, r.Here, r.There, rig.HereAddr, rig.ThereAddr, 200*time.Microsecond)
			out.WaitReceived(500)
			before := r.busy(out)
			asked := make(chan struct{})
			go func() {
				defer close(asked)
				_, _ = r.Yoke(c.move...) // the daemon dies before a removal is answered
			}()
			nstest.Eventually(t, 10*time.Second, func() bool {
				return strings.Contains(r.Must("events", "bond0"), "until the traffic pauses")
			}, "the traffic to wait")
			r.Kill()
			<-asked
			if now := r.busy(out); now != before {
				t.Errorf("without a daemon frames leave by %s, and by %s before", now, before)
			}
			r.Start()
			r.WaitFor(func(s agg.Status) bool { return c.done(s) && s.Plan.InForce }, "the move to end")
			out.WaitReceived(500)
			rig.Lossless(t, "the stream", out.Stop())
			r.Must("down", "bond0")
		})
	}
}

// busy is the port by which a stream leaves.
func (r *host) busy(s *nstest.Stream) string {
	r.T.Helper()
	count := func(port string) uint64 {
		l, err := r.Here.Handle().LinkByName(port)
		if err != nil {
			r.T.Fatal(err)
		}
		return l.Attrs().Statistics.TxPackets
	}
	one, two := count("eth1"), count("eth2")
	s.WaitReceived(500)
	if count("eth1")-one > count("eth2")-two {
		return "eth1"
	}
	return "eth2"
}
