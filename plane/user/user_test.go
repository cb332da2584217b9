package user_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/plane/user"
)

var _ engine.Plane = (*user.Plane)(nil)

// rig is an aggregate of two ports, cabled to the two ports of a bridge.
type rig struct {
	t        testing.TB
	host     *nstest.NS
	peer     *nstest.NS
	plane    *user.Plane
	stateDir string
	gen      uint64
}

var ports = []string{"p0", "p1"}

func newRig(t testing.TB) *rig {
	t.Helper()
	nstest.Require(t, "root", "veth")
	r := &rig{t: t, host: nstest.New(t), peer: nstest.New(t), stateDir: t.TempDir()}
	r.host.Veth("p0", r.peer, "q0")
	r.host.Veth("p1", r.peer, "q1")
	r.peer.Bridge("br0", "q0", "q1")
	// A bridge without an address of its own changes it with its ports, and neighbours
	// notice only much later.
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 2}
	if err := r.peer.Handle().LinkSetHardwareAddr(r.peer.Link("br0"), mac); err != nil {
		t.Fatal(err)
	}
	r.peer.AddAddr("br0", "192.0.2.2/24")
	r.open()
	return r
}

func (r *rig) open() {
	r.t.Helper()
	err := r.host.Run(func() (err error) {
		r.plane, err = user.Open(r.t.Context(), user.Options{Name: "bond0", StateDir: r.stateDir})
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	p := r.plane
	r.t.Cleanup(func() { _ = r.host.Run(p.Close) })
}

// plan sends everything by the port with the given index, and by the other one where
// that has lost its carrier.
func (r *rig) plan(active int) agg.Plan {
	r.gen++
	plan := agg.Plan{
		Generation: r.gen, Mode: agg.ActiveBackup, Carrier: true, MAC: agg.MAC{2, 0, 0, 0, 0, 1}, MTU: 1500,
		Select: agg.SelectFixed, Table: []agg.Choice{{First: active, Second: 1 - active}}, Multicast: agg.NoPort,
	}
	for i, name := range ports {
		p := agg.PlanPort{Name: name, Transmit: true, Receive: i == active, Order: i}
		if r.host.Has(name) {
			p.Index = r.host.Index(name)
		}
		plan.Ports = append(plan.Ports, p)
	}
	return plan
}

func (r *rig) apply(plan agg.Plan) {
	r.t.Helper()
	if err := r.host.Run(func() error { return r.plane.Apply(context.Background(), plan) }); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) facts() (f agg.Facts) {
	r.t.Helper()
	err := r.host.Run(func() (err error) { f, err = r.plane.Observe(context.Background()); return err })
	if err != nil {
		r.t.Fatal(err)
	}
	return f
}

// up applies the plan and gives the aggregate its address.
func (r *rig) up(plan agg.Plan) {
	r.t.Helper()
	r.apply(plan)
	r.host.SetUp("bond0")
	r.host.AddAddr("bond0", "192.0.2.1/24")
}

func TestCarriesTraffic(t *testing.T) {
	r := newRig(t)
	r.up(r.plan(0))
	r.host.MustPing("192.0.2.2")
	s := nstest.StartUDP(t, r.host, r.peer, "192.0.2.1", "192.0.2.2", 0)
	s.SendAll(500)
	f := r.facts()
	if f.Ports[0].TxFrames < 501 || f.Ports[0].RxFrames < 1 || f.Ports[1].TxFrames != 0 || f.Buckets[0].Frames != f.Ports[0].TxFrames {
		t.Errorf("got %+v", f)
	}
	if f.Ports[0].TxFrames != f.Ports[0].DeviceTxFrames {
		t.Errorf("sent %d by p0, whose device counts %d", f.Ports[0].TxFrames, f.Ports[0].DeviceTxFrames)
	}
}

func TestGuardMovesFramesOfADeadPort(t *testing.T) {
	r := newRig(t)
	plan := r.plan(0)
	plan.Ports[1].Receive = true
	r.up(plan)
	r.host.MustPing("192.0.2.2")
	s := nstest.StartUDP(t, r.host, r.peer, "192.0.2.1", "192.0.2.2", 200*time.Microsecond)
	s.WaitReceived(100)
	r.peer.SetDown("q0")
	before := s.Sent() // what is sent from now on is moved, with what is under way
	s.WaitReceived(500)
	got := s.Stop()
	if got.Lost != 0 {
		t.Errorf("lost %d of %d", got.Lost, got.Sent)
	}
	if f := r.facts(); f.Ports[0].GuardMoved < got.Sent-before {
		t.Errorf("guard moved %d of %d and more", f.Ports[0].GuardMoved, got.Sent-before)
	}
}
