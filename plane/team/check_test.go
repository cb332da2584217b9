package team

import (
	"errors"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
)

var _ engine.Plane = (*Plane)(nil)

// What the driver cannot do is refused by name, with the plane that can.
func TestRefusals(t *testing.T) {
	p := &Plane{options: Options{Name: "bond0"}}
	good := func() agg.Plan {
		return agg.Plan{
			Select: agg.SelectBuckets, Hash: agg.HashLayer34, Table: []agg.Choice{{First: 0, Second: 1}, {First: 1, Second: 0}},
			Multicast: agg.NoPort, MAC: agg.MAC{2},
			Ports: []agg.PlanPort{{Name: "p0", Index: 1, Receive: true, Transmit: true}, {Name: "p1", Index: 2, Receive: true, Transmit: true}},
		}
	}
	if err := p.check(good()); err != nil {
		t.Fatal(err)
	}
	for rule, spoil := range map[string]func(*agg.Plan){
		"encap3+4":              func(p *agg.Plan) { p.Hash = agg.HashEncap34 },
		"without a port":        func(p *agg.Plan) { p.Table[1].First = agg.NoPort },
		"packets_per_slave=1":   func(p *agg.Plan) { p.Select, p.PacketsPerPort = agg.SelectRoundRobin, 3 },
		"by one port":           func(p *agg.Plan) { p.Unbalanced = agg.ClassARP },
		"by all ports":          func(p *agg.Plan) { p.Copy = agg.ClassARP },
		"to the daemon":         func(p *agg.Plan) { p.Punt = agg.ClassARP },
		"source addresses":      func(p *agg.Plan) { p.Ports[0].SourceMAC = agg.MAC{4} },
		"one address":           func(p *agg.Plan) { p.Select, p.Ports[0].MAC = agg.SelectBroadcast, agg.MAC{4} },
		"that does not receive": func(p *agg.Plan) { p.Ports[1].Receive = false },
		"does not choose ports": func(p *agg.Plan) { p.Select = 99 },
	} {
		plan := good()
		spoil(&plan)
		err := p.check(plan)
		var problem *agg.Problem
		if !errors.As(err, &problem) || !strings.Contains(problem.Rule, rule) || !strings.Contains(problem.Remedy, "plane=ebpf") {
			t.Errorf("%s: %v", rule, err)
		}
	}
}
