package bonding

import (
	"testing"

	"github.com/yokelag/yoke/agg"
)

// Ports are in one order in netlink's answers and in the order of joining in the text.
func TestPartnerPriorityIsThatOfTheAggregatorThatCarries(t *testing.T) {
	mode, _ := named(Attributes(), "mode")
	lacp, err := mode.Kernel("bond0", "802.3ad", func(string) int { return 0 })
	if err != nil {
		t.Fatal(err)
	}
	s := State{
		Name: "bond0", Options: Values{"mode": lacp}, Aggregator: Aggregator{ID: 1, Ports: 1},
		Ports: []Port{{Name: "eth0", AggregatorID: 1}, {Name: "eth1", AggregatorID: 2}},
	}
	proc := Proc{Fields: map[string]string{}, Ports: []ProcPort{
		{Name: "eth1", Partner: &ProcSystem{Priority: 200}},
		{Name: "eth0", Partner: &ProcSystem{Priority: 100}},
	}}
	f := facts(s, proc)
	if s.Mode() != agg.LACP || f.LACP == nil || f.LACP.PartnerPriority != 100 {
		t.Errorf("got %+v", f.LACP)
	}
}
