package planetest

import (
	"context"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// Run runs every case of the suite, each in a harness of its own.
func Run(t *testing.T, make New) {
	for _, c := range []testCase{
		{"ActiveBackupCarriesOnlyOnActive", activeOnly},
		{"StandbyDropsWhatItReceives", standbyDrops},
		{"BlockedDropsBothWays", blockedDrops},
		{"BucketsPlaceEveryFrameWherePolicySays", bucketsPlace},
		{"EntriesMoveAfterAPause", entriesMove},
		{"ModuloPlacesEveryFrameWherePolicySays", moduloPlaces},
		{"AllPortsOfBalanceReceive", balanceReceives},
		{"RoundRobinTakesTurns", roundRobin},
		{"RandomUsesAllPorts", random},
		{"BroadcastCopiesToAllPorts", broadcast},
		{"UnbalancedFramesLeaveByOnePort", unbalanced},
		{"StandbyReceivesWhereAllAreActive", allActive},
		{"PlanReadBackIsThePlanApplied", readBack},
		{"RepeatedApplyChangesNothing", repeatedApply},
		{"FailedApplyLeavesTheOldPlan", failedApply},
		{"PortRemovedAndRestored", portRemoved},
		{"PortMadeAnew", portMadeAnew},
		{"GuardTakesTheSecondChoice", guard},
		{"AdoptedAfterClose", adopted},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, newBench(t, make(t, portNames()))) })
	}
	// These compare with what was there before the plane.
	for _, c := range []testCase{
		{"PortsHaveTheAddressesOfThePlan", ownAddresses},
		{"DestroyRestores", destroyRestores},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := make(t, portNames())
			before := h.Snapshot(t)
			b := newBench(t, h)
			b.before = before
			c.run(t, b)
		})
	}
}

type testCase struct {
	name string
	run  func(t *testing.T, b *bench)
}

func portNames() []string { return []string{"port0", "port1", "port2"} }

// bench is a harness with a plane, and the plan that was applied last.
type bench struct {
	Harness
	t      *testing.T
	plane  Plane
	plan   agg.Plan
	before string // a snapshot before the plane, where the case needs it
}

func newBench(t *testing.T, h Harness) *bench {
	t.Helper()
	b := &bench{Harness: h, t: t}
	b.plane = h.Open(t)
	t.Cleanup(func() {
		if b.plane != nil {
			if err := b.plane.Destroy(context.WithoutCancel(t.Context())); err != nil {
				t.Errorf("destroy: %v", err)
			}
		}
	})
	return b
}

// apply applies plan as the next generation.
func (b *bench) apply(plan agg.Plan) {
	b.t.Helper()
	plan.Generation = b.plan.Generation + 1
	if err := b.plane.Apply(b.t.Context(), plan); err != nil {
		b.t.Fatalf("apply plan %d: %v", plan.Generation, err)
	}
	b.plan = plan
}

func (b *bench) observe() agg.Facts {
	b.t.Helper()
	f, err := b.plane.Observe(b.t.Context())
	if err != nil {
		b.t.Fatalf("observe: %v", err)
	}
	return f
}

// inForce checks that the plane reports exactly the plan applied last.
func (b *bench) inForce() {
	b.t.Helper()
	f := b.observe()
	if f.Published == nil {
		b.t.Fatal("the plane reports no plan")
	}
	if f.Published.Generation != b.plan.Generation || !f.Published.Equal(b.plan) {
		b.t.Errorf("the plane reports\n%+v\napplied was\n%+v", *f.Published, b.plan)
	}
}
