package ebpf

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
)

// refused applies a plan that must not come into force.
func (r *rig) refused(p agg.Plan) {
	r.Helper()
	if err := r.near.Run(func() error { return r.plane.Apply(context.Background(), p) }); err == nil {
		r.Fatalf("plan %d was applied", p.Generation)
	}
}

// withBusyPort adds a port to a plan that cannot be taken: it has an address.
func (r *rig) withBusyPort(p agg.Plan) agg.Plan {
	r.Helper()
	if !r.near.Has("busy") {
		r.near.Veth("busy", r.far, "busy")
		r.near.AddAddr("busy", "198.51.100.1/24")
	}
	p.Ports = append(p.Ports, agg.PlanPort{Name: "busy", Index: r.near.Index("busy"), Order: agg.NoPort})
	return p
}

// Somebody's program comes before ours while no daemon runs, so that adoption leaves the
// port unhooked, and the next plan is refused: the port is still the aggregate's.
func TestRefusedPlanLeavesPortsOfThePlanInForce(t *testing.T) {
	nstest.Require(t, "root", "bpf", "clsact", "tcx", "veth", "bridge")
	r := newRig(t, Options{})
	r.ready()
	r.close()
	r.addUserProgram("eth0", true)
	r.open()
	if r.plane.hooked["eth0"] != 0 {
		t.Fatal("the port is hooked: the test proves nothing")
	}
	r.refused(r.withBusyPort(r.plan(0)))
	if list := r.plane.ports.Taken(); len(list) != 2 {
		t.Errorf("taken: %+v", list)
	}
	r.near.MustPing(there)
	r.far.MustPing(here)
	r.apply(r.plan(0))
	r.near.MustPing(there)
}

// What only the refused plan had is given back.
func TestRefusedPlanGivesBackItsOwnPorts(t *testing.T) {
	nstest.Require(t, "root", "bpf", "clsact", "veth", "bridge", "program:ip", "program:tc")
	r := newRig(t, Options{})
	nstest.Eventually(t, 10*time.Second, func() bool { // the kernel tells late that there is no carrier
		return !strings.Contains(nstest.Command(t, r.near, "ip", "link", "show", "dev", "bond0"), "state UNKNOWN")
	}, "bond0 to have a state")
	before := r.settled()
	r.refused(r.withBusyPort(r.plan(0)))
	r.near.Delete("busy")
	r.becomes(before)
	if len(r.plane.ports.Taken())+len(r.plane.hooked) != 0 {
		t.Errorf("taken: %+v, hooked: %v", r.plane.ports.Taken(), r.plane.hooked)
	}
}
