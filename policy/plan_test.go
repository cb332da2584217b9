package policy

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/yokelag/yoke/agg"
)

// someInput draws a configuration of a built mode and everything that may befall it.
func someInput(t *rapid.T) (agg.Config, Input) {
	c := agg.Config{
		Name: "bond0",
		Mode: rapid.SampledFrom([]agg.Mode{
			agg.ActiveBackup, agg.BalanceXOR, agg.BalanceRR, agg.Random, agg.Broadcast,
		}).Draw(t, "mode"),
		HashMap:         rapid.SampledFrom([]agg.HashMap{agg.Buckets, agg.Modulo}).Draw(t, "map"),
		HashPolicy:      agg.HashLayer34,
		PrimaryReselect: agg.Reselect(rapid.IntRange(0, 2).Draw(t, "reselect")),
		PacketsPerSlave: rapid.IntRange(0, 2).Draw(t, "packets"),
		AllSlavesActive: rapid.Bool().Draw(t, "all active"),
		LACP:            agg.LACPConfig{MinLinks: rapid.SampledFrom([]int{0, 0, 1, 2, 3}).Draw(t, "min links")},
		MTU:             9000,
	}
	in := Input{MAC: agg.MAC{2, 0, 0, 0, 0, 1}}
	for i := range rapid.IntRange(0, 5).Draw(t, "ports") {
		c.Ports = append(c.Ports, agg.PortConfig{
			Name:   fmt.Sprint("eth", i),
			Prio:   int32(rapid.IntRange(-1, 1).Draw(t, "prio")),
			Sticky: rapid.Bool().Draw(t, "sticky"),
		})
		in.Ports = append(in.Ports, somePort(t, c.Ports[i].Name, i+2))
	}
	name := rapid.SampledFrom([]string{"", "eth0", "eth1", "eth9"})
	c.Primary, c.ActiveSlave = name.Draw(t, "primary"), name.Draw(t, "wish")
	return c, in
}

func somePort(t *rapid.T, name string, index int) PortInput {
	p := PortInput{Watch: Verdict{
		State: VerdictState(rapid.IntRange(0, 3).Draw(t, "state")),
		Since: agg.Instant(rapid.IntRange(0, 3).Draw(t, "since")),
	}}
	p.Link = agg.LinkFacts{Name: name, Speed: rapid.SampledFrom([]uint32{0, 1000, 10000}).Draw(t, "speed")}
	if rapid.IntRange(0, 5).Draw(t, "there") > 0 {
		p.Link.Present, p.Link.Index = true, index
	}
	return p
}

func TestPlanIsConsistent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, in := someInput(t)
		var state State
		for range 3 { // the second round may differ by what the first one remembered
			in.Previous = state
			plan, next, reasons := Plan(c, in)
			checkPlan(t, c, in, plan, reasons)
			again, nextAgain, _ := Plan(c, in)
			if !plan.Equal(again) || !next.Equal(nextAgain) {
				t.Fatalf("the same input gave\n%+v\n%+v", plan, again)
			}
			state = next
		}
		in.Previous = state
		settled, next, _ := Plan(c, in)
		if !next.Equal(state) {
			t.Fatalf("nothing changed, and the state went from %+v to %+v with %+v", state, next, settled)
		}
	})
}

func checkPlan(t *rapid.T, c agg.Config, in Input, plan agg.Plan, reasons []Reason) {
	count, rising := 0, false
	for i, p := range plan.Ports {
		present := in.Ports[i].Link.Present
		usable := present && in.Ports[i].Watch.State != Down
		if usable {
			count++
			rising = rising || in.Ports[i].Watch.State == Rising
		}
		if p.Transmit && !usable {
			t.Fatalf("%s does not work and transmits: %+v", p.Name, plan)
		}
		if p.Receive != (p.Transmit || c.AllSlavesActive || c.Mode != agg.ActiveBackup) {
			t.Fatalf("%s receives: %v, transmits: %v in %s", p.Name, p.Receive, p.Transmit, c.Mode)
		}
		if reasons[i].Port != p.Name || reasons[i].OK != p.Transmit || reasons[i].Code == "" || reasons[i].Text == "" {
			t.Fatalf("the reason of %s is %+v", p.Name, reasons[i])
		}
	}
	works := count > 0 && count >= c.LACP.MinLinks
	if rising && c.LACP.MinLinks > 1 { // of ports that rise one may be promoted
		works = plan.Carrier
	}
	if plan.Carrier != works || plan.Blocked == plan.Carrier || (len(plan.Table) > 0) != works {
		t.Fatalf("ports that work: %v; plan %+v", works, plan)
	}
	for _, choice := range plan.Table {
		if !plan.Ports[choice.First].Transmit || choice.Second == choice.First {
			t.Fatalf("entry %+v of %+v", choice, plan)
		}
	}
	if plan.MAC != in.MAC || plan.MTU != c.MTU || plan.Generation != 0 {
		t.Fatalf("plan %+v", plan)
	}
	if plan.Select != selectorOf(c) {
		t.Fatalf("%s selects by %s", c.Mode, plan.Select)
	}
	igmp := works && c.Mode == agg.BalanceRR
	if (plan.Multicast != agg.NoPort) != igmp || (plan.Unbalanced == agg.ClassIGMP) != igmp {
		t.Fatalf("port %d for the classes %b in %s", plan.Multicast, plan.Unbalanced, c.Mode)
	}
}

func selectorOf(c agg.Config) agg.Selector {
	switch {
	case c.Mode == agg.BalanceXOR && c.HashMap == agg.Buckets:
		return agg.SelectBuckets
	case c.Mode == agg.BalanceXOR:
		return agg.SelectModulo
	case c.Mode == agg.Broadcast:
		return agg.SelectBroadcast
	case c.Mode == agg.BalanceRR && c.PacketsPerSlave > 0:
		return agg.SelectRoundRobin
	case c.Mode.Reorders():
		return agg.SelectRandom
	default:
		return agg.SelectFixed
	}
}

func TestPlanOfAModeThatIsNotBuiltIsBlocked(t *testing.T) {
	plan, _, reasons := Plan(agg.Config{Mode: agg.BalanceTLB}, Input{})
	if !plan.Blocked || plan.Carrier || len(reasons) != 1 || reasons[0].Code != "not-built" {
		t.Errorf("%+v, %+v", plan, reasons)
	}
}

func BenchmarkPlan(b *testing.B) {
	for _, mode := range []agg.Mode{agg.ActiveBackup, agg.BalanceXOR} {
		b.Run(mode.String(), func(b *testing.B) {
			c := agg.Config{Mode: mode, Ports: []agg.PortConfig{{Name: "eth1"}, {Name: "eth2"}}}
			var in Input
			for i, p := range c.Ports {
				in.Ports = append(in.Ports, PortInput{
					Link:  agg.LinkFacts{Name: p.Name, Index: i + 2, Present: true, Speed: 1000},
					Watch: Verdict{State: Up},
				})
			}
			for b.Loop() {
				Plan(c, in)
			}
		})
	}
}
