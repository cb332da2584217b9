package policy

import (
	"testing"

	"github.com/yokelag/yoke/agg"
)

// agreedInput is that of three ports whose links are up, of which LACP lets a, b and c
// receive and send as said.
func agreedInput(a, b, c Agreement) Input {
	in := Input{Carrier: true}
	for i, l := range []Agreement{a, b, c} {
		in.Ports = append(in.Ports, PortInput{
			Link:  agg.LinkFacts{Name: string(rune('a' + i)), Index: i + 1, Present: true, AdminUp: true, Carrier: true, Speed: 10000},
			Watch: Verdict{State: Up}, LACP: l,
		})
	}
	return in
}

func lacpConfig() agg.Config {
	return agg.Config{Mode: agg.LACP, Ports: []agg.PortConfig{{Name: "a"}, {Name: "b"}, {Name: "c"}}}
}

// Each port sends and receives as LACP says, and the table is that of those that send.
func TestPlanFollowsLACP(t *testing.T) {
	open, collects := Agreement{Receives: true, Sends: true}, Agreement{Receives: true, Reason: "lacp-partner-not-collecting", Detail: "waits"}
	plan, _, reasons := Plan(lacpConfig(), agreedInput(open, collects, Agreement{Reason: "lacp-no-partner", Detail: "nobody"}))
	for i, want := range []agg.PlanPort{{Transmit: true, Receive: true}, {Receive: true}, {}} {
		if got := plan.Ports[i]; got.Transmit != want.Transmit || got.Receive != want.Receive {
			t.Errorf("port %d: %+v", i, got)
		}
	}
	for i, c := range plan.Table {
		if c.First != 0 || c.Second != agg.NoPort {
			t.Fatalf("entry %d is %+v", i, c)
		}
	}
	if !plan.Carrier || plan.Blocked || plan.Punt != agg.ClassSlow {
		t.Errorf("%+v", plan)
	}
	if reasons[1].Code != "lacp-partner-not-collecting" || reasons[2].Text != "nobody" || !reasons[0].OK {
		t.Errorf("%+v", reasons)
	}
}

// The carrier is LACP's word: without it the plan is blocked, whoever could send.
func TestPlanWithoutLACPsCarrierIsBlocked(t *testing.T) {
	in := agreedInput(Agreement{Receives: true, Sends: true}, Agreement{}, Agreement{})
	in.Carrier = false
	if plan, _, _ := Plan(lacpConfig(), in); plan.Carrier || !plan.Blocked {
		t.Errorf("%+v", plan)
	}
	in = agreedInput(Agreement{}, Agreement{}, Agreement{}) // lacp_strict=off
	if plan, _, _ := Plan(lacpConfig(), in); !plan.Carrier || plan.Blocked || len(plan.Table) != 0 {
		t.Errorf("%+v", plan)
	}
}

// With LACP the port's own address is remembered: its LACPDUs come from it.
func TestPlanRemembersThePortsOwnAddresses(t *testing.T) {
	in := agreedInput(Agreement{}, Agreement{}, Agreement{})
	in.Ports[1].Link.MAC = agg.MAC{2, 0, 0, 0, 0, 7}
	_, state, _ := Plan(lacpConfig(), in)
	in.Previous, in.Ports[1].Link.MAC = state, agg.MAC{2, 0, 0, 0, 0, 9}
	if _, state, _ = Plan(lacpConfig(), in); state.Own["b"].MAC != (agg.MAC{2, 0, 0, 0, 0, 7}) {
		t.Errorf("%+v", state.Own)
	}
}

func TestBroadcastNeighbor(t *testing.T) {
	c := lacpConfig()
	c.LACP.BroadcastNeighbor = true
	if plan, _, _ := Plan(c, agreedInput(Agreement{}, Agreement{}, Agreement{})); plan.Copy != agg.ClassNeighbor {
		t.Errorf("%+v", plan)
	}
}
