package team

import (
	"fmt"
	"slices"

	"github.com/yokelag/yoke/agg"
)

// check refuses plans that the driver cannot carry out, before anything changes.
func (p *Plane) check(plan agg.Plan) error {
	if len(plan.Ports) > agg.MaxPorts {
		return fmt.Errorf("%d ports, at most %d", len(plan.Ports), agg.MaxPorts)
	}
	for i, pp := range plan.Ports {
		if plan.PortByName(pp.Name) != i {
			return fmt.Errorf("port %s is in the plan twice", pp.Name)
		}
	}
	for _, c := range plan.Table {
		if c.First >= len(plan.Ports) || c.Second >= len(plan.Ports) {
			return fmt.Errorf("the table names port %d of %d", max(c.First, c.Second), len(plan.Ports))
		}
	}
	for _, r := range refusals(plan) {
		if r.found {
			return &agg.Problem{
				Code: "not-supported", Object: "plane team", Rule: r.rule,
				Remedy: "`yoke up " + p.options.Name + " plane=ebpf`",
			}
		}
	}
	return nil
}

type refusal struct {
	found bool
	rule  string
}

func refusals(plan agg.Plan) []refusal {
	hashed := plan.Select == agg.SelectBuckets || plan.Select == agg.SelectModulo
	return []refusal{
		{plan.Select > agg.SelectBroadcast, "does not choose ports by " + plan.Select.String()},
		{hashed && !computes(plan.Hash), "does not compute the hash " + plan.Hash.String()},
		{hashed && len(plan.Table) > agg.NumBuckets, fmt.Sprintf("has %d entries, the plan %d", agg.NumBuckets, len(plan.Table))},
		{hashed && someEmpty(plan), "cannot leave some entries of the table without a port"},
		{plan.Select == agg.SelectRoundRobin && plan.PacketsPerPort > 1, "changes the port with every frame (packets_per_slave=1)"},
		{plan.Unbalanced&^agg.ClassIGMP != 0, "cannot send classes of frames by one port"},
		{plan.Copy != 0, "cannot send classes of frames by all ports"},
		{plan.Punt&^agg.ClassSlow != 0, "cannot hand classes of frames to the daemon"},
		{slices.ContainsFunc(plan.Ports, func(pp agg.PlanPort) bool { return !pp.SourceMAC.IsZero() && pp.SourceMAC != plan.MAC }),
			"does not rewrite source addresses"},
		{!perPortAddress(plan) && slices.ContainsFunc(plan.Ports, func(pp agg.PlanPort) bool { return !pp.MAC.IsZero() && pp.MAC != plan.MAC }),
			"gives all ports one address in mode " + modeOf(plan)},
		{sendsDeaf(plan), "cannot send by a port that does not receive"},
	}
}

// someEmpty reports whether some entries have a port and others none.
func someEmpty(plan agg.Plan) bool {
	none := 0
	for _, c := range plan.Table {
		if c.First == agg.NoPort {
			none++
		}
	}
	return none > 0 && none < len(plan.Table)
}

// sendsDeaf: a port that the driver sends by is enabled, and so receives.
func sendsDeaf(plan agg.Plan) bool {
	if plan.Blocked {
		return false
	}
	return slices.ContainsFunc(plan.Table, func(c agg.Choice) bool { return c.First != agg.NoPort && !plan.Ports[c.First].Receive })
}
