package policy

import (
	"testing"

	"github.com/yokelag/yoke/agg"
)

// What the driver makes of the ports is in the plan as it says, whatever the mode.
func TestDrivenPlanFollowsTheDriver(t *testing.T) {
	spec := agg.Spec{Name: "bond0", Options: agg.Settings{"mode": "active-backup"}, Ports: []agg.PortSpec{{Name: "p0"}, {Name: "p1"}, {Name: "p2"}}}
	in := Input{Carrier: true, MAC: agg.MAC{2}}
	for i, a := range []Agreement{
		{Receives: false, Reason: "standby", Detail: "stands by"},
		{Receives: true, Sends: true, Reason: "active", Detail: "is active"},
		{Receives: true, Sends: true, Reason: "active", Detail: "is gone"},
	} {
		in.Ports = append(in.Ports, PortInput{Link: agg.LinkFacts{Name: spec.Ports[i].Name, Index: i + 1, Present: i < 2}, LACP: a, Watch: Verdict{State: Up}})
	}
	plan, state, reasons := Driven(spec.Config(), in, "p1")
	if plan.Select != agg.SelectFixed || len(plan.Table) != 1 || plan.Table[0].First != 1 || plan.Blocked || !plan.Carrier || !plan.MAC.IsZero() {
		t.Errorf("%+v", plan)
	}
	if state.Active != "p1" || len(reasons) != 3 || reasons[0].OK || !reasons[1].OK || reasons[2].OK {
		t.Errorf("%+v %+v", state, reasons)
	}
	if p := plan.Ports; p[0].Transmit || p[0].Receive || !p[1].Transmit || p[1].Order != 0 || p[0].Order != 1 || p[2].Order != agg.NoPort || p[2].Transmit || p[2].Receive {
		t.Errorf("%+v", p)
	}
}
