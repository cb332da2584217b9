package rules

import (
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/test/rig"
)

// With fewer ports than min_links the aggregate has no carrier, so that who routes over it
// takes another way, and carries again when there are enough.
func TestMinLinksTakesTheCarrier(t *testing.T) {
	each(t, func(t *testing.T, r *rig.Rig) {
		r.Must("set", "bond0", "min_links=2")
		r.There.SetDown("far1")
		s := r.WaitFor(func(s agg.Status) bool { return !s.Device.Carrier && s.Carrying == 0 && s.Plan.InForce }, "the aggregate to lose its carrier")
		if !s.Plan.Blocked || s.Ports[1].Reason != "min-links" {
			t.Errorf("blocked %v, eth2: %s", s.Plan.Blocked, s.Ports[1].Text)
		}
		if out := r.Must("status", "bond0"); !strings.Contains(out, "1 of 2 ports that min_links=2 asks for work, so the aggregate has no carrier") {
			t.Errorf("status:\n%s", out)
		}
		r.There.SetUp("far1")
		r.WaitCarrying(2)
		r.Here.MustPing(thereAddr)
		r.There.SetDown("far2")
		r.WaitFor(func(s agg.Status) bool { return !s.Device.Carrier }, "the aggregate to lose its carrier")
		r.Must("set", "bond0", "min_links=1")
		r.WaitCarrying(1)
		r.Here.MustPing(thereAddr)
	})
}
