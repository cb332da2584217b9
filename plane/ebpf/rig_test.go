package ebpf

import (
	"context"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
)

const (
	here  = "192.0.2.1"
	there = "192.0.2.2"
)

// rig is an aggregate with real ports and somebody at the far end: eth0, eth1, ... are
// cables to a host that joins them by a bridge with the address there.
type rig struct {
	testing.TB
	near, far *nstest.NS
	options   Options
	plane     *Plane
	names     []string
	gen       uint64
	// backlog is what the backlog queues had dropped before.
	backlog uint64
}

// variants runs a test with each way to attach programs: by filters, and by links where
// others have programs on the ports.
func variants(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Run("filters", func(t *testing.T) {
		nstest.Require(t, "root", "bpf", "clsact", "veth", "bridge")
		test(t, newRig(t, Options{}))
	})
	t.Run("links", func(t *testing.T) {
		nstest.Require(t, "root", "bpf", "clsact", "tcx", "veth", "bridge")
		r := newRig(t, Options{})
		for _, name := range r.names {
			r.addUserProgram(name, true)
		}
		test(t, r)
		if r.plane != nil && !r.plane.attach.links.attached(rxHook(0, r.near.Index("eth0"))) {
			t.Error("eth0 is not hooked by a link")
		}
	})
}

func newRig(t testing.TB, o Options) *rig {
	t.Helper()
	r := &rig{TB: t, near: nstest.New(t), far: nstest.New(t), options: o}
	r.options.Name, r.options.StateDir = "bond0", t.TempDir()
	var farNames []string
	for _, name := range []string{"eth0", "eth1"} {
		r.near.Veth(name, r.far, name)
		r.names = append(r.names, name)
		farNames = append(farNames, name)
	}
	r.far.Bridge("br0", farNames...)
	// Without an address of its own the bridge's would change with its ports.
	if err := r.far.Handle().LinkSetHardwareAddr(r.far.Link("br0"), net.HardwareAddr{2, 0, 0, 0, 0, 2}); err != nil {
		t.Fatal(err)
	}
	r.far.AddAddr("br0", there+"/24")
	var err error
	if r.backlog, err = backlogDrops(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.destroy)
	r.open()
	r.near.AddAddr("bond0", here+"/24")
	r.near.SetUp("bond0")
	return r
}

func (r *rig) open() {
	r.Helper()
	err := r.near.Run(func() (err error) {
		r.plane, err = Open(context.Background(), r.options)
		return err
	})
	if err != nil {
		r.Fatal(err)
	}
	r.plane.calm = 0
}

func (r *rig) close() {
	r.Helper()
	if err := r.plane.Close(); err != nil {
		r.Fatal(err)
	}
	r.plane = nil
}

func (r *rig) destroy() {
	if r.plane == nil {
		return
	}
	if err := r.near.Run(func() error { return r.plane.Destroy(context.Background()) }); err != nil {
		r.Error(err)
	}
	if _, err := os.Stat(r.plane.dir); err == nil {
		r.Errorf("pins are left in %s", r.plane.dir)
	}
	r.plane = nil
}

// plan is active-backup on the port at index active, the other port second. Ports named
// absent are not there.
func (r *rig) plan(active int, absent ...string) agg.Plan {
	r.gen++
	p := agg.Plan{
		Generation: r.gen, Mode: agg.ActiveBackup, Carrier: true, Select: agg.SelectFixed, MTU: 1500,
		MAC: agg.MAC{2, 0, 0, 0, 0, 1}, Multicast: agg.NoPort,
		Table: []agg.Choice{{First: active, Second: 1 - active}},
	}
	for i, name := range r.names {
		if slices.Contains(absent, name) {
			p.Ports = append(p.Ports, agg.PlanPort{Name: name, Order: agg.NoPort})
			continue
		}
		p.Ports = append(p.Ports, agg.PlanPort{
			Name: name, Index: r.near.Index(name), Transmit: i == active, Receive: i == active, Order: i,
		})
	}
	return p
}

func (r *rig) apply(p agg.Plan) {
	r.Helper()
	if err := r.near.Run(func() error { return r.plane.Apply(context.Background(), p) }); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) observe() (f agg.Facts) {
	r.Helper()
	err := r.near.Run(func() (err error) {
		f, err = r.plane.Observe(context.Background())
		return err
	})
	if err != nil {
		r.Fatal(err)
	}
	return f
}

// ready brings the aggregate up on port 0 and waits until frames pass both ways.
func (r *rig) ready() {
	r.Helper()
	r.apply(r.plan(0))
	r.near.MustPing(there)
	r.far.MustPing(here)
}

// stream sends from the aggregate's host to the far one.
func (r *rig) stream(every time.Duration) *nstest.Stream {
	return nstest.StartUDP(r, r.near, r.far, here, there, every)
}
