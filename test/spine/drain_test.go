package spine

import (
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// What an operator plans costs nothing: numbered streams in both directions over a switch
// of the active port and a removal lose, double and turn round no frame.
func TestPlannedMovesLoseNothing(t *testing.T) {
	for _, c := range []struct {
		name  string
		words []string
		moves [][]string
	}{
		{"active-backup", []string{"eth1", "eth2"}, [][]string{{"set", "bond0", "active_slave=eth2"}, {"remove", "bond0", "eth2"}}},
		{"balance-xor", []string{"mode=balance-xor", "xmit_hash_policy=layer3+4", "eth1", "eth2"}, [][]string{{"remove", "bond0", "eth2"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newHost(t, "bpf")
			r.Start()
			r.Up("br0", append([]string{"plane=ebpf"}, c.words...)...)
			const every = 200 * time.Microsecond
			out := nstest.StartUDP(t, r.Here, r.There, rig.HereAddr, rig.ThereAddr, every)
			in := nstest.StartUDP(t, r.There, r.Here, rig.ThereAddr, rig.HereAddr, every)
			for _, words := range c.moves {
				before := out.Received()
				running := func() bool { return out.Received() > before+1000 }
				nstest.Eventually(t, 10*time.Second, running, "the stream to run")
				r.Must(words...)
				// A switch waits for a pause, which this traffic has not; a removal is over
				// when the command is.
				r.WaitCarrying(1)
				if words[0] == "set" {
					r.WaitActive("eth2")
				}
			}
			rig.Lossless(t, "outbound", out.Stop())
			rig.Lossless(t, "inbound", in.Stop())
		})
	}
}
