package lacp

import (
	"fmt"
	"testing"
	"time"

	"github.com/yokelag/yoke/test/rig"
)

// Links come up, at one end later than at the other: all ports distribute at both. The
// times are measured by `bench/run -only lacpstart`.
func TestStartsFromLinkUp(t *testing.T) {
	for _, ports := range []int{2, 8} {
		for _, apart := range []time.Duration{0, 80 * time.Millisecond} {
			t.Run(fmt.Sprintf("%d ports, %v apart", ports, apart), func(t *testing.T) {
				a, b := newPair(t, "ebpf", ports)
				b.Must("set", "bond0", "updelay="+apart.String())
				for _, name := range names(ports) {
					a.Here.SetDown(name)
				}
				for _, r := range []*rig.Rig{a, b} {
					r.WaitCarrying(0)
				}
				for _, name := range names(ports) {
					a.Here.SetUp(name)
				}
				for _, r := range []*rig.Rig{a, b} {
					r.WaitCarrying(ports)
				}
				a.Here.MustPing(rig.ThereAddr)
			})
		}
	}
}
