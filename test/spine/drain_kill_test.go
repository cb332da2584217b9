package spine

import (
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// drains is how long traffic that does not pause waits to be moved: long enough that the daemon
// dies in the middle.
const drains = 5 * time.Second

// coarse is by how much a pause may seem longer than it is: a tick of the slowest kernels.
const coarse = 10 * time.Millisecond

// tries is how often a kill is tried until it comes in the middle.
const tries = 4

// drained is a move of a stream from one port to the other.
type drained struct {
	name  string
	words []string
	move  func(from, to string) []string
	done  func(from, to string) func(s agg.Status) bool
	// answered is whether the one who asked is told that it is done before the traffic has moved.
	answered bool
}

// The daemon is killed while traffic that does not pause waits to be moved. Frames go on by the
// port that has them. The next daemon ends a move that was answered as the dead one would have; a
// removal, which is answered when its traffic has moved, is not made, and its port carries as before.
func TestKillInTheMiddleOfADrain(t *testing.T) {
	for _, c := range []drained{
		{"switch", []string{"mode=active-backup", "eth1", "eth2"},
			func(_, to string) []string { return []string{"set", "bond0", "active_slave=" + to} },
			func(_, to string) func(agg.Status) bool { return active(to) }, true},
		{"shares", []string{"mode=balance-xor", "eth1", "eth2"},
			func(from, to string) []string {
				return []string{"set", "bond0", from + ",weight=1", to + ",weight=60000"}
			},
			func(_, to string) func(agg.Status) bool { return nearlyAll(to) }, true},
		{"removal", []string{"mode=balance-xor", "eth1", "eth2"},
			func(from, _ string) []string { return []string{"remove", "bond0", from} },
			func(from, _ string) func(agg.Status) bool {
				return func(s agg.Status) bool { return s.Carrying == 2 && s.Plan.Shares[from] == 128 }
			}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for try := 1; !c.killed(t); try++ {
				if t.Logf("the traffic paused, or the daemon died when the move may have been over"); try == tries {
					t.Log("this machine has no time for traffic that does not pause")
					return
				}
			}
		})
	}
}

// killed kills the daemon in the middle of the move. It is not ok where the move may have been
// over by then, since that took too long, or because the stream was not sent for a moment.
func (c drained) killed(t *testing.T) (ok bool) {
	t.Helper()
	r := newHost(t, "bpf")
	r.Start()
	r.Up("br0", append([]string{"plane=ebpf", "drain_timeout=" + drains.String()}, c.words...)...)
	r.settle()
	waits := strings.Count(r.Must("events", "bond0"), waiting)
	out := nstest.StartUDP(t, r.Here, r.There, rig.HereAddr, rig.ThereAddr, 200*time.Microsecond)
	out.WaitReceived(500)
	before := r.busy(out)
	other := map[string]string{"eth1": "eth2", "eth2": "eth1"}[before]
	asked, began := make(chan struct{}), time.Now()
	go func() {
		defer close(asked)
		_, _ = r.Yoke(c.move(before, other)...) // the daemon dies before a removal is answered
	}()
	waited := false
	for end := began.Add(drains); !waited && time.Now().Before(end); {
		waited = strings.Count(r.Must("events", "bond0"), waiting) > waits
	}
	if c.answered {
		<-asked
	}
	r.Kill()
	took := time.Since(began)
	<-asked
	if now := r.busy(out); !waited || took > drains || now != before {
		if got := out.Stop(); took > drains || got.LongestPause >= agg.Pause-coarse {
			return false
		}
		t.Fatalf("the traffic waited: %v; without a daemon frames leave by %s, and by %s before", waited, now, before)
	}
	r.Start()
	r.WaitFor(func(s agg.Status) bool { return c.done(before, other)(s) && s.Plan.InForce }, "the move to end")
	out.WaitReceived(500)
	rig.Lossless(t, "the stream", out.Stop())
	r.Must("down", "bond0")
	return true
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
