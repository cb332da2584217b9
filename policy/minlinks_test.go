package policy

import (
	"testing"

	"github.com/yokelag/yoke/agg"
)

// Below min_links the aggregate has no carrier in any mode, and says so; at it it carries by
// all that work.
func TestMinLinks(t *testing.T) {
	for _, mode := range []agg.Mode{agg.ActiveBackup, agg.BalanceXOR, agg.BalanceRR, agg.Random, agg.Broadcast} {
		c := agg.Config{Name: "bond0", Mode: mode, MTU: 1500, LACP: agg.LACPConfig{MinLinks: 2}}
		in := Input{MAC: agg.MAC{2, 0, 0, 0, 0, 1}}
		for i, name := range []string{"eth1", "eth2", "eth3"} {
			c.Ports = append(c.Ports, agg.PortConfig{Name: name})
			in.Ports = append(in.Ports, PortInput{Link: agg.LinkFacts{Name: name, Present: true, Index: i + 2}, Watch: Verdict{State: Up}})
		}
		for _, step := range []struct {
			up      int
			carrier bool
		}{{3, true}, {2, true}, {1, false}, {0, false}, {1, false}, {2, true}} {
			for i := range in.Ports {
				in.Ports[i].Watch.State = Down
				if i < step.up {
					in.Ports[i].Watch.State = Up
				}
			}
			plan, next, reasons := Plan(c, in)
			in.Previous = next
			if plan.Carrier != step.carrier || plan.Blocked == step.carrier {
				t.Errorf("%v, %d ports up: carrier %v, blocked %v", mode, step.up, plan.Carrier, plan.Blocked)
			}
			if step.up != 1 {
				continue
			}
			if r := reasons[0]; r.OK || r.Code != CodeMinLinks || r.Text != "waits for others: 1 of 2 ports that min_links=2 asks for work" {
				t.Errorf("%v: %+v", mode, r)
			}
			if last := reasons[len(reasons)-1]; last.Port != "" || last.Code != CodeMinLinks {
				t.Errorf("%v: the aggregate says %+v", mode, last)
			}
			if len(plan.Table) != 0 || plan.Ports[0].Transmit || next.Active != "" {
				t.Errorf("%v: %+v, %+v", mode, plan, next)
			}
		}
	}
}
