package engine_test

import (
	"context"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
	"github.com/yokelag/yoke/plane/mem"
)

// slow makes a world's ears those of an engine.
type slow struct{ *mem.World }

func (s slow) Listen() engine.Ear { return s.NewEar() }

// pair is two engines whose ports of equal names are joined by cables.
type pair struct {
	a, b *rig
	// lost holds, as keys, whose frames are lost: "a.eth1" for those that a sends by eth1.
	lost sync.Map
}

// lose loses the frames of a side and port, or no longer.
func (p *pair) lose(from string, yes bool) {
	if yes {
		p.lost.Store(from, true)
	} else {
		p.lost.Delete(from)
	}
}

func (p *pair) loses(from string) bool {
	_, yes := p.lost.Load(from)
	return yes
}

// newPair makes two hosts with cables between ports of the same name.
func newPair(t *testing.T, a, b agg.Spec) *pair {
	t.Helper()
	p := &pair{a: newRig(t, a), b: newRig(t, b)}
	for range 40 { // so that the addresses of the two differ
		p.b.world.DeleteLink("spare")
		p.b.world.AddLink("spare")
	}
	p.b.world.DeleteLink("spare")
	for _, port := range b.Ports {
		p.b.world.AddLink(port.Name)
		p.cable(port.Name)
	}
	return p
}

func (p *pair) cable(port string) { p.cableTo(port, port) }

// cableTo joins a port of a to one of b.
func (p *pair) cableTo(a, b string) {
	p.a.world.Cable(a, func(f []byte) {
		if !p.loses("a." + a) {
			p.b.world.Arrive(b, f)
		}
	})
	p.b.world.Cable(b, func(f []byte) {
		if !p.loses("b." + b) {
			p.a.world.Arrive(a, f)
		}
	})
}

// carrier sets that of both ends of a cable.
func (p *pair) carrier(port string, up bool) {
	p.a.world.SetCarrier(port, up)
	p.b.world.SetCarrier(port, up)
}

func (p *pair) start() {
	p.a.start()
	p.b.start()
}

func (p *pair) stop() {
	_ = p.a.stop()
	_ = p.b.stop()
}

func gateOf(s agg.Status, port, name string) agg.Gate {
	for _, p := range s.Ports {
		for _, g := range p.Gates {
			if p.Name == port && g.Name == name {
				return g
			}
		}
	}
	return agg.Gate{}
}

func lacpSpec(t *testing.T, options map[string]string, ports ...string) agg.Spec {
	t.Helper()
	all := map[string]string{"mode": "802.3ad"}
	maps.Copy(all, options)
	return spec(t, all, ports...)
}

func TestTwoEnginesAggregate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, lacpSpec(t, nil, "eth1", "eth2"), lacpSpec(t, nil, "eth1", "eth2"))
		p.start()
		defer p.stop()
		p.a.quiet(300 * time.Millisecond)
		for _, r := range []*rig{p.a, p.b} {
			s := r.status()
			if s.Carrying != 2 || !s.Device.Carrier || s.Plan.Blocked || s.Plan.Shares["eth1"] != 128 {
				t.Fatalf("%+v", s)
			}
			if s.LACP == nil || s.LACP.Ports != 2 || s.Ports[0].LACP.Mux != "DISTRIBUTING" {
				t.Errorf("got %+v", s.LACP)
			}
		}
		if a, b := p.a.status().LACP, p.b.status().LACP; a.System != b.Partner || b.System != a.Partner {
			t.Errorf("%+v and %+v", a, b)
		}
	})
}

// Frames come from the port's own address, whatever address it has now.
func TestLACPDUsComeFromThePortsOwnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, lacpSpec(t, nil, "eth1", "eth2"))
		own := r.world.Link("eth2").MAC
		var from []agg.MAC
		r.world.Cable("eth2", func(f []byte) { from = append(from, agg.MAC(f[6:12])) })
		r.start()
		defer func() { _ = r.stop() }()
		r.quiet(5 * time.Second)
		if now := r.world.Link("eth2").MAC; now == own {
			t.Fatalf("the port still has %v", now)
		}
		if len(from) < 3 {
			t.Fatalf("%d LACPDUs", len(from))
		}
		for _, m := range from {
			if m != own {
				t.Errorf("a LACPDU from %v, want %v", m, own)
			}
		}
	})
}

// Without a partner there is no carrier, unless fallback or lacp_strict=off says so.
func TestWithoutAPartner(t *testing.T) {
	for _, c := range []struct {
		options  map[string]string
		carrier  bool
		carrying int
		reason   string
	}{
		{nil, false, 0, "lacp-no-partner"},
		{map[string]string{"lacp_strict": "off"}, true, 0, "lacp-no-partner"},
		{map[string]string{"lacp_active": "off"}, false, 0, "lacp-both-passive"},
		{map[string]string{"fallback": "static", "fallback_timeout": "1s"}, true, 1, ""},
		{map[string]string{"fallback": "individual", "fallback_timeout": "1s"}, true, 1, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, lacpSpec(t, c.options, "eth1", "eth2")).start()
			defer func() { _ = r.stop() }()
			r.quiet(10 * time.Second)
			s := r.status()
			if s.Device.Carrier != c.carrier || s.Carrying != c.carrying {
				t.Errorf("%v: carrier %v, %d carry", c.options, s.Device.Carrier, s.Carrying)
			}
			if c.reason != "" && (s.Ports[0].Reason != c.reason || !strings.Contains(s.Ports[0].Text, "no LACPDU heard")) {
				t.Errorf("%v: %s: %s", c.options, s.Ports[0].Reason, s.Ports[0].Text)
			}
		})
	}
}

func TestMinAndMaxLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, lacpSpec(t, map[string]string{"min_links": "2", "max_links": "2"}, "eth1", "eth2", "eth3"),
			lacpSpec(t, map[string]string{"lacp_rate": "fast"}, "eth1", "eth2", "eth3"))
		p.start()
		defer p.stop()
		p.a.quiet(3 * time.Second)
		s := p.a.status()
		if s.Carrying != 2 || !s.Device.Carrier || s.Ports[2].Reason != "lacp-standby" {
			t.Fatalf("%+v", s.Ports[2])
		}
		if !strings.Contains(s.Summary, "stands by") {
			t.Errorf("summary %q", s.Summary)
		}
		p.carrier("eth1", false)
		p.a.quiet(3 * time.Second)
		if s := p.a.status(); s.Carrying != 2 || !s.Ports[2].Carrying {
			t.Errorf("the port in standby did not take over: %s", s.Summary)
		}
		p.carrier("eth2", false)
		p.a.quiet(3 * time.Second)
		if s := p.a.status(); s.Device.Carrier || !s.Plan.Blocked {
			t.Errorf("carrier with one link of two: %s", s.Summary)
		}
	})
}

// A cable is cut, comes back, and then fails in one direction only.
func TestCutAndOneWayLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fast := map[string]string{"lacp_rate": "fast"}
		p := newPair(t, lacpSpec(t, fast, "eth1", "eth2"), lacpSpec(t, fast, "eth1", "eth2"))
		p.start()
		defer p.stop()
		p.a.quiet(time.Second)
		p.carrier("eth1", false)
		p.a.quiet(10 * time.Millisecond)
		if got := p.a.published().Ports[0]; got.Transmit || got.Receive {
			t.Errorf("a dead port in the plan: %+v", got)
		}
		p.carrier("eth1", true)
		p.a.quiet(500 * time.Millisecond)
		if s := p.a.status(); s.Carrying != 2 {
			t.Fatalf("not back: %s", s.Summary)
		}
		p.lose("a.eth2", true)
		p.a.quiet(5 * time.Second)
		for _, r := range []*rig{p.a, p.b} {
			if s := r.status(); s.Carrying != 1 || !s.Ports[0].Carrying {
				t.Errorf("one-way loss: %s", s.Summary)
			}
		}
		if g := gateOf(p.a.status(), "eth2", agg.GateLACP); g.OK || !strings.Contains(g.Detail, "partner:") {
			t.Errorf("got %+v", g)
		}
		p.lose("a.eth2", false)
		p.a.quiet(1500 * time.Millisecond)
		if s := p.a.status(); s.Carrying != 2 {
			t.Errorf("not back 1.5 s after the loss: %s", s.Summary)
		}
	})
}

// A port is removed: the partner hears of it, and nothing of it is left.
func TestRemoveAndAddAPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, lacpSpec(t, nil, "eth1", "eth2"), lacpSpec(t, nil, "eth1", "eth2"))
		p.start()
		defer p.stop()
		p.a.quiet(time.Second)
		if err := p.a.e.Update(t.Context(), lacpSpec(t, nil, "eth1")); err != nil {
			t.Fatal(err)
		}
		p.a.quiet(time.Second)
		if s := p.b.status(); s.Carrying != 1 || s.Ports[1].LACP.Mux == "DISTRIBUTING" {
			t.Errorf("the partner: %s", s.Summary)
		}
		if c := p.b.status().Ports[1].LACP.Counters; c["rx_marker"] != 1 {
			t.Errorf("no marker: %v", c)
		}
		if err := p.a.e.Update(t.Context(), lacpSpec(t, nil, "eth1", "eth2")); err != nil {
			t.Fatal(err)
		}
		p.a.quiet(time.Second)
		for _, r := range []*rig{p.a, p.b} {
			if s := r.status(); s.Carrying != 2 {
				t.Errorf("not back: %s", s.Summary)
			}
		}
	})
}

// The next daemon goes on within the partner's timeout, and the partner sees no change.
func TestNextEngineResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fast := map[string]string{"lacp_rate": "fast"}
		p := newPair(t, lacpSpec(t, fast, "eth1", "eth2"), lacpSpec(t, fast, "eth1", "eth2"))
		p.start()
		defer p.stop()
		p.a.quiet(10 * time.Second)
		seq, before := lastSeq(p.b.e), p.a.published()
		if err := p.a.stop(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1500 * time.Millisecond)
		p.a.start()
		p.a.quiet(10 * time.Second)
		if events, _ := p.b.e.Events(seq); len(events) != 0 {
			t.Errorf("the partner saw %+v", events)
		}
		if after := p.a.published(); after.Generation != before.Generation || !after.Equal(before) {
			t.Errorf("plan %d became %d", before.Generation, after.Generation)
		}
	})
}

func lastSeq(e *engine.Engine) uint64 {
	events, _ := e.Events(0)
	if len(events) == 0 {
		return 0
	}
	return events[len(events)-1].Seq
}

// Every transition is an event with its row and clause.
func TestTransitionsAreEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, lacpSpec(t, nil, "eth1"), lacpSpec(t, nil, "eth1"))
		p.start()
		defer p.stop()
		p.a.quiet(time.Second)
		events, _ := p.a.e.Events(0)
		for _, e := range events {
			if e.Kind == "lacp" && e.Cause == "MX-08" && e.To == "DISTRIBUTING" && strings.Contains(e.Text, "6.4.15") {
				return
			}
		}
		t.Errorf("no event of MX-08 in %+v", events)
	})
}

// What a LACPDU promises is in force: no port says that it collects while the plane
// refuses the plan that would receive.
func TestNoPromiseThatIsNotInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, lacpSpec(t, nil, "eth1"), lacpSpec(t, nil, "eth1"))
		p.a.start()
		p.a.quiet(100 * time.Millisecond)
		p.a.world.Refuse(func(op string) error {
			if op == "apply" {
				return context.DeadlineExceeded
			}
			return nil
		})
		p.b.start()
		defer p.stop()
		p.a.quiet(2 * time.Second)
		if s := p.b.status(); s.Carrying != 0 {
			t.Errorf("the partner sends: %s", s.Summary)
		}
		p.a.world.Refuse(func(string) error { return nil })
		p.a.quiet(2 * time.Second)
		if s := p.b.status(); s.Carrying != 1 {
			t.Errorf("not up: %s", s.Summary)
		}
	})
}

// An aggregate that is taken apart says so: the partner need not wait for its timeout.
func TestLeaveTellsThePartner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, lacpSpec(t, nil, "eth1", "eth2"), lacpSpec(t, nil, "eth1", "eth2"))
		p.start()
		defer p.stop()
		p.a.quiet(time.Second)
		p.a.e.Leave(t.Context())
		p.a.quiet(100 * time.Millisecond)
		if s := p.b.status(); s.Carrying != 0 || s.Device.Carrier {
			t.Errorf("the partner: %s", s.Summary)
		}
	})
}
