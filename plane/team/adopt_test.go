package team

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/team"
)

// rig is a namespace with two ports, cabled to a bridge.
type rig struct {
	host, peer *nstest.NS
	state      string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	nstest.Require(t, "root", "veth", "team")
	r := &rig{host: nstest.New(t), peer: nstest.New(t), state: t.TempDir()}
	r.host.Veth("p0", r.peer, "q0")
	r.host.Veth("p1", r.peer, "q1")
	r.peer.Bridge("br0", "q0", "q1")
	r.peer.AddAddr("br0", "192.0.2.2/24")
	return r
}

func (r *rig) do(t *testing.T, fn func() error) {
	t.Helper()
	if err := r.host.Run(fn); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) plan(active int) agg.Plan {
	plan := agg.Plan{
		Generation: uint64(active) + 1, Mode: agg.ActiveBackup, Carrier: true, MAC: agg.MAC{2, 0, 0, 0, 0, 1}, MTU: 1500,
		Select: agg.SelectFixed, Table: []agg.Choice{{First: active, Second: 1 - active}}, Multicast: agg.NoPort,
	}
	for i, name := range []string{"p0", "p1"} {
		plan.Ports = append(plan.Ports, agg.PlanPort{
			Name: name, Index: r.host.Index(name), Transmit: i == active, Receive: i == active, Order: i,
		})
	}
	return plan
}

// A device that somebody else made is adopted with its ports, under traffic that loses
// nothing, also when the active port is changed then.
func TestForeignDeviceIsAdopted(t *testing.T) {
	r := newRig(t)
	r.do(t, func() error {
		k, err := team.Open()
		if err != nil {
			return err
		}
		defer k.Close()
		d, err := k.Create("bond0", team.CreateOptions{MAC: []byte{2, 0, 0, 0, 0, 1}})
		if err != nil {
			return err
		}
		r.host.SetDown("p0")
		r.host.SetDown("p1")
		return errors.Join(d.SetMode(team.ModeActiveBackup), d.AddPort(r.host.Index("p0")), d.AddPort(r.host.Index("p1")),
			d.SetActivePort(r.host.Index("p0")))
	})
	for _, name := range []string{"p0", "p1"} { // as teamd does: the driver leaves them alone in this mode
		if err := r.host.Handle().LinkSetHardwareAddr(r.host.Link(name), []byte{2, 0, 0, 0, 0, 1}); err != nil {
			t.Fatal(err)
		}
	}
	r.host.SetUp("bond0")
	r.host.AddAddr("bond0", "192.0.2.1/24")
	r.host.MustPing("192.0.2.2")
	index := r.host.Index("bond0")
	stream := nstest.StartUDP(t, r.host, r.peer, "192.0.2.1", "192.0.2.2", time.Millisecond)
	stream.WaitReceived(50)
	var p *Plane
	r.do(t, func() (err error) {
		p, err = Open(context.Background(), Options{Name: "bond0", StateDir: r.state})
		if err != nil {
			return err
		}
		return p.Apply(context.Background(), r.plan(0))
	})
	stream.WaitReceived(100)
	r.do(t, func() error { return p.Apply(context.Background(), r.plan(1)) })
	stream.WaitReceived(200)
	if got := stream.Stop(); got.Lost != 0 {
		t.Errorf("lost %d of %d", got.Lost, got.Sent)
	}
	r.do(t, func() error {
		f, err := p.Observe(context.Background())
		if err != nil || f.Published == nil || f.Published.Generation != 2 || f.Device.Index != index {
			t.Errorf("after adoption %+v, %v", f, err)
		}
		return p.Destroy(context.Background())
	})
	if r.host.Has("bond0") || r.host.Link("p0").Attrs().MasterIndex != 0 {
		t.Error("the device was not taken apart")
	}
}

// A watch of whoever had the device before found a port dead, and nobody takes that back:
// the port carries all the same, because its link is up.
func TestWhatAnotherSaidOfLinksEnds(t *testing.T) {
	r := newRig(t)
	r.do(t, func() error {
		k, err := team.Open()
		if err != nil {
			return err
		}
		defer k.Close()
		d, err := k.Create("bond0", team.CreateOptions{MAC: []byte{2, 0, 0, 0, 0, 1}})
		if err != nil {
			return err
		}
		errs := []error{d.SetMode(team.ModeBroadcast)}
		for _, name := range []string{"p0", "p1"} {
			r.host.SetDown(name)
			index := r.host.Index(name)
			errs = append(errs, d.AddPort(index), d.SetAll(
				team.Option{Key: team.On(team.OptUserLinkupEnabled, index), Value: team.BoolValue(true)},
				team.Option{Key: team.On(team.OptUserLinkup, index), Value: team.BoolValue(false)}))
		}
		return errors.Join(errs...)
	})
	r.host.SetUp("bond0")
	r.host.AddAddr("bond0", "192.0.2.1/24")
	r.do(t, func() error {
		p, err := Open(context.Background(), Options{Name: "bond0", StateDir: r.state})
		if err != nil {
			return err
		}
		t.Cleanup(func() { r.do(t, func() error { return p.Destroy(context.Background()) }) })
		plan := r.plan(0)
		plan.Select, plan.Mode = agg.SelectBroadcast, agg.Broadcast
		plan.Table = []agg.Choice{{First: 0, Second: 1}}
		plan.Ports[0].Transmit, plan.Ports[0].Receive = true, true
		return p.Apply(context.Background(), plan)
	})
	r.host.MustPing("192.0.2.2")
}

// What somebody else changes in the driver shows, and the next Apply sets it right.
func TestDriftIsSeenAndMended(t *testing.T) {
	r := newRig(t)
	r.do(t, func() error {
		ctx := context.Background()
		p, err := Open(ctx, Options{Name: "bond0", StateDir: r.state})
		if err != nil {
			return err
		}
		defer func() { _ = p.Destroy(ctx) }()
		plan := r.plan(0)
		if err := p.Apply(ctx, plan); err != nil {
			return err
		}
		published := func(want bool) {
			f, err := p.Observe(ctx)
			if err != nil || (f.Published != nil) != want {
				t.Errorf("published %v, want %v; %v", f.Published, want, err)
			}
		}
		published(true)
		if err := p.device.SetEnabled(plan.Ports[0].Index, false); err != nil {
			return err
		}
		published(false)
		if err := p.Apply(ctx, plan); err != nil {
			return err
		}
		published(true)
		if err := p.device.SetMode(team.ModeRandom); !errors.Is(err, unix.EBUSY) {
			t.Errorf("the mode was changed under the ports: %v", err)
		}
		return nil
	})
}

// A port that left cannot be given back as it was: the plan is in force all the same, the
// plane says what is wrong, and tries again until it is right.
func TestPortThatCannotBeGivenBack(t *testing.T) {
	r := newRig(t)
	r.do(t, func() error {
		ctx := context.Background()
		o := Options{Name: "bond0", StateDir: r.state}
		p, err := Open(ctx, o)
		if err != nil {
			return err
		}
		plan := r.plan(0)
		if err := errors.Join(p.Apply(ctx, plan), p.Close()); err != nil {
			return err
		}
		// The journal is made to say that p1 had an MTU that it does not take.
		b, err := os.ReadFile(o.portJournal())
		if err != nil {
			return err
		}
		const mtu = `"mtu": `
		at := bytes.LastIndex(b, []byte(mtu)) + len(mtu)
		b = slices.Concat(b[:at], []byte("10"), b[at+len("1500"):])
		if err := os.WriteFile(o.portJournal(), b, 0o600); err != nil {
			return err
		}
		if p, err = Open(ctx, o); err != nil {
			return err
		}
		t.Cleanup(func() { _ = r.host.Run(func() error { return p.Destroy(ctx) }) })
		plan.Generation, plan.Ports, plan.Table = 9, plan.Ports[:1], []agg.Choice{{First: 0, Second: agg.NoPort}}
		if err := errors.Join(p.Apply(ctx, plan), p.Apply(ctx, plan)); err != nil {
			return err
		}
		f, err := p.Observe(ctx)
		if err != nil || len(f.Unreleased) != 1 || !strings.Contains(f.Unreleased[0], "p1") || f.Published == nil {
			t.Errorf("unreleased: %q, in force: %+v; %v", f.Unreleased, f.Published, err)
		}
		r.host.Delete("p1") // nothing is to be restored of it
		if f, err := p.Observe(ctx); err != nil || len(f.Unreleased) != 0 {
			t.Errorf("unreleased: %q; %v", f.Unreleased, err)
		}
		return nil
	})
}
