package spine

import (
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// move is something that an operator asks for, and how it shows that it is done. Traffic
// that has no pause holds it up for a second.
type move struct {
	words []string
	done  func(s agg.Status) bool
}

func active(port string) func(agg.Status) bool {
	return func(s agg.Status) bool { return s.Active == port && s.Carrying == 1 }
}

func carrying(n int) func(agg.Status) bool {
	return func(s agg.Status) bool { return s.Carrying == n }
}

func nearlyAll(port string) func(agg.Status) bool {
	return func(s agg.Status) bool { return s.Plan.Shares[port] > 250 }
}

func selects(how agg.Selector) func(agg.Status) bool {
	return func(s agg.Status) bool { return s.Plan.Select == how.String() }
}

// What an operator plans costs nothing: numbered streams in both directions over a switch
// of the active port, a removal, and changes of shares and of how the hash leads to ports
// lose, double and turn round no frame.
func TestPlannedMovesLoseNothing(t *testing.T) {
	set := func(words ...string) []string { return append([]string{"set", "bond0"}, words...) }
	remove := func(port string) []string { return []string{"remove", "bond0", port} }
	for _, c := range []struct {
		name  string
		words []string
		moves []move
	}{
		{"active-backup", []string{"eth1", "eth2"}, []move{
			{set("active_slave=eth2"), active("eth2")}, {remove("eth2"), active("eth1")},
		}},
		{"balance-xor", []string{"mode=balance-xor", "xmit_hash_policy=layer3+4", "eth1", "eth2"}, []move{
			{set("eth1,weight=60000", "eth2,weight=1"), nearlyAll("eth1")},
			{set("eth1,weight=1", "eth2,weight=60000"), nearlyAll("eth2")},
			{set("hash_map=modulo"), selects(agg.SelectModulo)},
			{set("xmit_hash_policy=layer2+3"), carrying(2)},
			{set("hash_map=buckets"), selects(agg.SelectBuckets)},
			{remove("eth2"), carrying(1)},
		}},
		{"modulo", []string{"mode=balance-xor", "hash_map=modulo", "eth1", "eth2"}, []move{{remove("eth2"), carrying(1)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newHost(t, "bpf")
			r.Start()
			r.Up("br0", append([]string{"plane=ebpf"}, c.words...)...)
			const every = 200 * time.Microsecond
			out := nstest.StartUDP(t, r.Here, r.There, rig.HereAddr, rig.ThereAddr, every)
			in := nstest.StartUDP(t, r.There, r.Here, rig.ThereAddr, rig.HereAddr, every)
			for _, m := range c.moves {
				before := out.Received()
				running := func() bool { return out.Received() > before+1000 }
				nstest.Eventually(t, 10*time.Second, running, "the stream to run")
				r.Must(m.words...)
				r.WaitFor(func(s agg.Status) bool { return m.done(s) && s.Plan.InForce }, "what follows "+m.words[len(m.words)-1])
			}
			rig.Lossless(t, "outbound", out.Stop())
			rig.Lossless(t, "inbound", in.Stop())
		})
	}
}
