package lacp_test

import (
	"slices"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/lacptest"
	"github.com/yokelag/yoke/wire/slow"
)

func (p *pair) view(s *lacp.System, port uint16) lacp.PortView {
	p.t.Helper()
	v, ok := s.Port(port)
	if !ok {
		p.t.Fatalf("no port %d", port)
	}
	return v
}

func (p *pair) reason(s *lacp.System, port uint16, want lacp.Reason) {
	p.t.Helper()
	if g := s.Gate(port); g.Reason != want {
		p.t.Errorf("port %d: %+v, want %s", port, g, want)
	}
}

func lose(*lacptest.Node, []byte) []time.Duration { return nil }

func TestFirstLACPDUsLost(t *testing.T) {
	for _, coupled := range []bool{false, true} {
		a, b := config(1), config(2)
		a.Coupled, b.Coupled = coupled, coupled
		p := newPair(t, 1, a, b)
		p.wires[0].Fault = lose
		p.up().run(20 * time.Millisecond)
		p.wires[0].Fault = nil
		p.run(280*time.Millisecond).want(1, 1)
	}
}

func TestTotalLossAtFirst(t *testing.T) {
	p := newPair(t, 1, config(1), config(2))
	p.wires[0].Fault = lose
	p.up().run(3500 * time.Millisecond)
	if v := p.view(p.a, 1); v.Receive != "DEFAULTED" {
		t.Errorf("%s after 3.5 s of silence", v.Receive)
	}
	p.reason(p.a, 1, lacp.ReasonSilent)
	p.wires[0].Fault = nil
	p.run(1100*time.Millisecond).want(1, 1)
}

func TestSilentLossEndsWithinTheSecond(t *testing.T) {
	p := newPair(t, 2, config(1), config(2)).up().run(time.Second).want(2, 2)
	p.wires[0].Fault = lose
	p.run(20*time.Second).want(1, 1)
	p.wires[0].Fault = nil
	p.run(1500*time.Millisecond).want(2, 2)
}

func TestSlowSlowIsBackSoon(t *testing.T) {
	a, b := config(1), config(2)
	a.Short, b.Short = false, false
	p := newPair(t, 1, a, b).up().run(time.Second).want(1, 1)
	clear(p.lacpdus)
	p.run(300 * time.Second)
	if n := p.lacpdus["a"]; n < 9 || n > 11 {
		t.Errorf("%d LACPDUs in 300 s at slow rate", n)
	}
	p.wires[0].Fault = lose
	p.run(100*time.Second).want(0, 0)
	p.wires[0].Fault = nil
	p.run(1500*time.Millisecond).want(1, 1)
}

func TestFastAsksSlow(t *testing.T) {
	a, b := config(1), config(2)
	b.Short = false
	p := newPair(t, 1, a, b).up().run(time.Second).want(1, 1)
	clear(p.lacpdus)
	p.run(90 * time.Second)
	if p.lacpdus["a"] > 4 || p.lacpdus["b"] < 89 {
		t.Errorf("%v in 90 s", p.lacpdus)
	}
	a.Short = false
	a.Ports = portsOf("a", 2, 1)
	p.nodeA.Give(lacp.Input{Kind: lacp.Configure, Conf: &a})
	clear(p.lacpdus)
	p.run(90*time.Second).want(1, 1)
	if p.lacpdus["b"] > 5 {
		t.Errorf("%v in 90 s after fast became slow", p.lacpdus)
	}
	b.Ports = portsOf("b", 2, 1)
	b.Short = true
	p.nodeB.Give(lacp.Input{Kind: lacp.Configure, Conf: &b})
	clear(p.lacpdus)
	p.run(10*time.Second).want(1, 1)
	if p.lacpdus["a"] < 9 {
		t.Errorf("%v in 10 s after slow became fast", p.lacpdus)
	}
}

// portsOf repeats what the harness gives a system.
func portsOf(name string, first byte, n int) []lacp.Port {
	var out []lacp.Port
	for i := range n {
		out = append(out, lacp.Port{Number: uint16(i + 1), Name: name + string(rune('1'+i)), Priority: 255, MAC: agg.MAC{first, 1, 0, 0, 0, byte(i + 1)}})
	}
	return out
}

func TestPassive(t *testing.T) {
	a, b := config(1), config(2)
	b.Active = false
	p := newPair(t, 1, a, b).up().run(10*time.Millisecond).want(1, 1)
	p.run(10*time.Minute).want(1, 1)

	a.Active = false
	p = newPair(t, 1, a, b).up().run(time.Minute).want(0, 0)
	if len(p.lacpdus) != 0 {
		t.Errorf("two passive ends sent %v", p.lacpdus)
	}
	p.reason(p.a, 1, lacp.ReasonPassive)
}

func TestOneWay(t *testing.T) {
	p := newPair(t, 1, config(1), config(2))
	p.wires[0].Deafen(p.nodeB, true)
	p.up().run(20*time.Second).want(0, 0)
	p.reason(p.a, 1, lacp.ReasonMismatch)

	for _, c := range []struct {
		coupled bool
		within  time.Duration
	}{{false, 3010 * time.Millisecond}, {true, 3010 * time.Millisecond}} {
		a, b := config(1), config(2)
		a.Coupled, b.Coupled = c.coupled, c.coupled
		p = newPair(t, 1, a, b).up().run(10*time.Second).want(1, 1)
		p.wires[0].Deafen(p.nodeB, true)
		p.run(c.within).want(0, 0)
		p.run(20*time.Second).want(0, 0)
		p.wires[0].Deafen(p.nodeB, false)
		p.run(1500*time.Millisecond).want(1, 1)
	}
}

func TestLinkDownAndUp(t *testing.T) {
	p := newPair(t, 2, config(1), config(2)).up().run(5*time.Second).want(2, 2)
	p.net.Up(p.wires[0], false)
	p.want(1, 1)
	p.reason(p.a, 1, lacp.ReasonPortDown)
	p.run(5 * time.Second)
	p.net.Up(p.wires[0], true)
	p.run(5*time.Millisecond).want(2, 2)
}

func TestMaxLinks(t *testing.T) {
	a, b := config(1), config(2)
	a.MaxLinks = 2
	p := newPair(t, 4, a, b).up().run(2*time.Second).want(2, 2)
	for _, port := range []uint16{3, 4} {
		p.reason(p.a, port, lacp.ReasonStandby)
		p.reason(p.b, port, lacp.ReasonPartnerNotSync)
	}
	p.net.Up(p.wires[0], false)
	p.run(50*time.Millisecond).want(2, 2)
	p.net.Up(p.wires[0], true)
	p.run(3*time.Second).want(2, 2)
	if _, sends := p.a.Open(1); !sends {
		t.Error("the better port did not come back")
	}
	// The other end decides, and ranks by its own numbers.
	a.SystemPriority, b.SystemPriority = 2, 1
	p = newPair(t, 4, a, b).up().run(300*time.Millisecond).want(2, 2)
	p.reason(p.a, 3, lacp.ReasonStandby)
}

func TestNonRevertive(t *testing.T) {
	a, b := config(1), config(2)
	a.MaxLinks, a.NonRevertive = 1, true
	p := newPair(t, 2, a, b).up().run(300*time.Millisecond).want(1, 1)
	p.net.Up(p.wires[0], false)
	p.run(100 * time.Millisecond)
	p.net.Up(p.wires[0], true)
	p.run(10*time.Second).want(1, 1)
	if _, sends := p.a.Open(2); !sends {
		t.Error("the port that carried was replaced")
	}
}

func TestWaitToRestore(t *testing.T) {
	a, b := config(1), config(2)
	a.WaitToRestore = 5 * time.Second
	p := newPair(t, 2, a, b).up().run(300*time.Millisecond).want(2, 2)
	p.net.Up(p.wires[0], false)
	p.run(time.Second)
	p.net.Up(p.wires[0], true)
	p.run(4*time.Second).want(1, 1)
	p.reason(p.a, 1, lacp.ReasonRestoring)
	p.run(1200*time.Millisecond).want(2, 2)
}

func TestMinLinks(t *testing.T) {
	a, b := config(1), config(2)
	a.MinLinks = 2
	p := newPair(t, 3, a, b).up().run(2*time.Second).want(3, 3)
	p.net.Up(p.wires[0], false)
	if !p.a.Carrier() {
		t.Error("two of two links, and no carrier")
	}
	p.net.Up(p.wires[1], false)
	if p.a.Carrier() {
		t.Error("one of two links, and carrier")
	}
	p.net.Up(p.wires[0], true)
	p.run(100 * time.Millisecond)
	if !p.a.Carrier() {
		t.Error("no carrier although two links are back")
	}
}

func TestNotStrictHasCarrierByLinks(t *testing.T) {
	a, b := config(1), config(2)
	a.Strict = false
	p := newPair(t, 2, a, b)
	p.wires[0].Fault, p.wires[1].Fault = lose, lose
	p.up().run(10*time.Second).want(0, 0)
	if !p.a.Carrier() || p.b.Carrier() {
		t.Error("carrier must be up where it is not strict, and down where it is")
	}
}

func TestFallback(t *testing.T) {
	for _, kind := range []lacp.Fallback{lacp.FallbackStatic, lacp.FallbackIndividual} {
		a, b := config(1), config(2)
		a.Fallback, a.FallbackAfter = kind, 2*time.Second
		p := newPair(t, 2, a, b)
		for _, w := range p.wires {
			w.Fault = lose
		}
		p.up().run(4*time.Second).want(0, 0)
		p.run(1500*time.Millisecond).want(1, 0)
		p.reason(p.a, 1, lacp.ReasonFallback)
		alone := !p.view(p.a, 1).Actor.State.Has(slow.Aggregation)
		if alone != (kind == lacp.FallbackIndividual) || !p.a.Carrier() {
			t.Errorf("%s: %+v", kind, p.view(p.a, 1).Actor)
		}
		p.wires[1].Fault = nil
		p.run(1500*time.Millisecond).want(1, 1)
		if receives, _ := p.a.Open(1); receives {
			t.Errorf("%s: the port of the fallback is still open", kind)
		}
		p.wires[0].Fault = nil
		p.run(1500*time.Millisecond).want(2, 2)
		if !p.view(p.a, 1).Actor.State.Has(slow.Aggregation) {
			t.Errorf("%s: still individual", kind)
		}
	}
}

func TestKeyChangeDetachesFirst(t *testing.T) {
	p := newPair(t, 2, config(1), config(2)).up().run(time.Second).want(2, 2)
	var muxes []string
	p.net.Moved = func(n *lacptest.Node, m lacp.Move) {
		if n == p.nodeA && m.Port == 2 && m.Row.Info().Machine == "Mux" {
			muxes = append(muxes, m.To)
		}
	}
	p.nodeA.Give(lacp.Input{Kind: lacp.LinkChanged, Port: 2, Link: lacp.Link{Up: true, Speed: 1000, FullDuplex: true}})
	p.want(1, 2).run(2*time.Second).want(1, 1)
	if len(muxes) == 0 || !slices.Contains(muxes, "DETACHED") {
		t.Errorf("the mux went through %v", muxes)
	}
	p.reason(p.a, 2, lacp.ReasonOtherAggregator)
}

func TestHalfDuplexDoesNotSpeak(t *testing.T) {
	p := newPair(t, 1, config(1), config(2)).up().run(time.Second).want(1, 1)
	half := lacp.Link{Up: true, Speed: 100}
	p.nodeA.Give(lacp.Input{Kind: lacp.LinkChanged, Port: 1, Link: half})
	p.want(0, 1)
	clear(p.lacpdus)
	p.run(20*time.Second).want(0, 0)
	if p.lacpdus["a"] != 0 {
		t.Errorf("sent %v in half duplex", p.lacpdus)
	}
	p.reason(p.a, 1, lacp.ReasonDisabled)
	if p.view(p.a, 1).Counters.RxDisabled == 0 {
		t.Error("not counted")
	}
	half.FullDuplex = true
	p.nodeA.Give(lacp.Input{Kind: lacp.LinkChanged, Port: 1, Link: half})
	p.run(2*time.Second).want(1, 1)
}

func TestPortMoved(t *testing.T) {
	p := newPair(t, 2, config(1), config(2))
	p.net.Up(p.wires[0], true)
	p.run(time.Second).want(1, 1)
	p.net.Up(p.wires[0], false)
	moved := p.net.Connect(p.nodeA, 2, p.nodeB, 1)
	p.net.Up(moved, true)
	p.run(10*time.Millisecond).want(1, 1)
	if v := p.view(p.a, 1); v.Partner.Port != 0 {
		t.Errorf("port 1 still remembers %+v", v.Partner)
	}
}

func TestLoops(t *testing.T) {
	p := newPair(t, 4, config(1), config(2))
	self := p.net.Connect(p.nodeA, 1, p.nodeA, 2)
	p.net.Up(self, true)
	p.net.Up(p.wires[2], true)
	p.run(20*time.Second).want(1, 1)
	p.reason(p.a, 1, lacp.ReasonLoop)
	p.reason(p.a, 2, lacp.ReasonLoop)
	if v := p.view(p.a, 1); v.Receive != "DEFAULTED" {
		t.Errorf("%s: a loop refreshes current_while", v.Receive)
	}
}

// A fallback that hears itself closes: the port would carry a loop.
func TestFallbackHearsItself(t *testing.T) {
	a := config(1)
	a.Fallback, a.FallbackAfter = lacp.FallbackStatic, time.Second
	p := newPair(t, 3, a, config(2))
	p.net.Link(p.nodeA, 1, true)
	p.net.Link(p.nodeA, 3, true)
	p.run(5*time.Second).want(1, 0)
	p.reason(p.a, 1, lacp.ReasonFallback)
	p.net.Up(p.net.Connect(p.nodeA, 1, p.nodeA, 2), true)
	p.run(5 * time.Second)
	if _, sends := p.a.Open(1); sends {
		t.Errorf("%+v", p.a.Gate(1))
	}
	p.reason(p.a, 3, lacp.ReasonFallback)
}

func TestTwoPartners(t *testing.T) {
	p := newPair(t, 4, config(1), config(2))
	nodeC, c, err := p.net.AddSystem("c", config(3), 4)
	if err != nil {
		t.Fatal(err)
	}
	for port := uint16(3); port <= 4; port++ {
		p.wires[port-1] = p.net.Connect(p.nodeA, port, nodeC, port)
	}
	p.up().run(5*time.Second).want(2, 2)
	if sending(c) != 0 {
		t.Error("the second partner carries too")
	}
	p.reason(p.a, 3, lacp.ReasonOtherAggregator)
	p.net.Up(p.wires[0], false)
	p.run(5*time.Second).want(1, 1) // stable
	p.net.Up(p.wires[1], false)
	p.run(10*time.Millisecond).want(2, 0)
	p.net.Up(p.wires[0], true)
	p.net.Up(p.wires[1], true)
	p.run(10*time.Second).want(2, 0)
}

func TestPolicies(t *testing.T) {
	// Ports 1 and 2 end at b, port 3 at c. Port 3 has ten times the speed.
	fast := lacp.Link{Up: true, Speed: 100000, FullDuplex: true}
	for _, c := range []struct {
		policy lacp.Policy
		three  func(*lacp.Port)
		wantB  bool
	}{
		{lacp.Stable, nil, true},
		{lacp.Bandwidth, nil, false},
		{lacp.Count, nil, true},
		{lacp.ActorPortPrio, func(p *lacp.Port) { p.Priority = 600 }, false},
		{lacp.ActorPortPrio, nil, true},
		{lacp.LACPPrio, func(p *lacp.Port) { p.Priority = 1 }, false},
		{lacp.LACPPrio, nil, true},
		{lacp.LACPPrioStable, func(p *lacp.Port) { p.Priority = 1 }, true},
		{lacp.PortConfig, func(p *lacp.Port) { p.Prio = 5 }, false},
		{lacp.PortConfig, nil, true},
	} {
		p := newPair(t, 3, config(1), config(2))
		nodeC, _, err := p.net.AddSystem("c", config(3), 3)
		if err != nil {
			t.Fatal(err)
		}
		conf := config(1)
		conf.SystemPriority, conf.Policy, conf.Ports = 1, c.policy, portsOf("a", 2, 3)
		if c.three != nil {
			c.three(&conf.Ports[2])
		}
		p.nodeA.Give(lacp.Input{Kind: lacp.Configure, Conf: &conf})
		w := p.net.Connect(p.nodeA, 3, nodeC, 3)
		p.net.Up(p.wires[0], true)
		p.net.Up(p.wires[1], true)
		p.run(time.Second).want(2, 2)
		p.net.Up(w, true)
		p.nodeA.Give(lacp.Input{Kind: lacp.LinkChanged, Port: 3, Link: fast})
		p.run(2 * time.Second)
		if _, sends := p.a.Open(1); !sends {
			t.Errorf("%s: switched to a partner that is not three seconds old", c.policy)
		}
		p.run(3 * time.Second)
		if _, sends := p.a.Open(1); sends != c.wantB {
			t.Errorf("%s: port 1 sends %v, want %v", c.policy, sends, c.wantB)
		}
	}
}

func TestDrainLosesNothing(t *testing.T) {
	for _, coupled := range []bool{false, true} {
		a, b := config(1), config(2)
		a.Coupled, b.Coupled = coupled, coupled
		p := newPair(t, 2, a, b).up().run(time.Second).want(2, 2)
		p.nodeA.Give(lacp.Input{Kind: lacp.Drain, Port: 1})
		p.want(1, 2) // the sender closes first
		p.reason(p.a, 1, lacp.ReasonDraining)
		p.run(5*time.Millisecond).want(1, 1)
		if receives, _ := p.a.Open(1); !receives {
			t.Error("the receiver closed before what is on the way has come")
		}
		p.run(100 * time.Millisecond)
		v := p.view(p.a, 1)
		if v.Receives || !v.Drained {
			t.Errorf("not drained: %+v", v)
		}
		if v.Counters.RxMarkerResponse != 1 || v.Counters.TxMarker != 1 {
			t.Errorf("markers: %+v", v.Counters)
		}
		p.reason(p.a, 1, lacp.ReasonDrained)
		p.run(10*time.Second).want(1, 1)
		p.nodeA.Give(lacp.Input{Kind: lacp.Undrain, Port: 1})
		p.run(1200*time.Millisecond).want(2, 2)
	}
}

func TestRemovedPortSaysSo(t *testing.T) {
	p := newPair(t, 2, config(1), config(2)).up().run(time.Second).want(2, 2)
	conf := config(1)
	conf.Ports = portsOf("a", 2, 1)
	p.nodeA.Give(lacp.Input{Kind: lacp.Configure, Conf: &conf})
	p.run(time.Millisecond).want(1, 1)
}

func TestMarkers(t *testing.T) {
	p := newPair(t, 1, config(1), config(2)).up().run(time.Second)
	mac := slow.Addr{2, 9, 9, 9, 9, 9}
	m := slow.Marker{Version: 1, Type: slow.MarkerInformation, Port: 77, System: mac, Transaction: 5, Pad: 3}
	give := func(m slow.Marker) []lacp.Send {
		return p.nodeA.Give(lacp.Input{Kind: lacp.Received, Port: 1, Frame: m.AppendFrame(nil, slow.Group(), mac)}).Send
	}
	out := give(m)
	if len(out) != 1 {
		t.Fatalf("%d answers", len(out))
	}
	f, err := slow.Parse(out[0].Frame, slow.Addr{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := slow.ParseMarker(f.Payload)
	m.Type = slow.MarkerResponse
	if err != nil || got != m {
		t.Errorf("answered %+v, want %+v", got, m)
	}
	if out := give(m); len(out) != 0 {
		t.Error("answered a response")
	}
	if v := p.view(p.a, 1); v.Counters.RxUnasked != 1 {
		t.Errorf("%+v", v.Counters)
	}
	m.Type = slow.MarkerInformation
	answers := 0
	for range 1000 {
		answers += len(give(m))
	}
	if answers > 20 {
		t.Errorf("%d of 1000 markers in an instant answered", answers)
	}
	m.Type = 9
	give(m)
	if v := p.view(p.a, 1); v.Counters.RxUnknown != 1 || v.Counters.RxLimited == 0 {
		t.Errorf("%+v", v.Counters)
	}
}

func TestTransmitLimit(t *testing.T) {
	p := newPair(t, 1, config(1), config(2)).up().run(10*time.Second).want(1, 1)
	p.run(300 * time.Millisecond)
	conf := config(1)
	conf.Ports = portsOf("a", 2, 1)
	clear(p.lacpdus)
	for i := range 20 {
		conf.Ports[0].Priority = uint16(1000 + i)
		p.nodeA.Give(lacp.Input{Kind: lacp.Configure, Conf: &conf})
		p.run(5 * time.Millisecond)
	}
	if n := p.lacpdus["a"]; n > 3 {
		t.Errorf("%d LACPDUs within 100 ms", n)
	}
	p.run(2*time.Second).want(1, 1)
	if v := p.view(p.b, 1); v.Partner.PortPriority != 1019 {
		t.Errorf("the partner knows %d", v.Partner.PortPriority)
	}
}

func TestSendFailed(t *testing.T) {
	s, err := lacp.New(func() lacp.Config { c := config(1); c.Ports = portsOf("a", 2, 1); return c }())
	if err != nil {
		t.Fatal(err)
	}
	tally(t, s)
	at := agg.Instant(time.Hour)
	in := lacp.Input{At: at, Kind: lacp.LinkChanged, Port: 1, Link: lacp.Link{Up: true}}
	for sent := 0; sent < 5; {
		if out := s.Step(in); len(out.Send) == 1 {
			sent++
			if out := s.Step(lacp.Input{At: in.At, Kind: lacp.SendFailed, Port: 1}); len(out.Send) != 0 {
				t.Fatal("sent again at once")
			}
		}
		in = lacp.Input{At: s.Deadline(), Kind: lacp.Tick}
		if in.At > at.Add(time.Second) {
			t.Fatalf("%d tries within a second: failures count against the limit", sent)
		}
	}
	if v, _ := s.Port(1); s.Taken(lacp.TX04) != 5 || v.Counters.TxFailed != 5 || v.Counters.TxLACPDU != 0 || v.Counters.LongestGap != 0 {
		t.Errorf("%+v", v.Counters)
	}
	saved := s.Save().Ports[0].State
	if saved.Spoken != agg.Never {
		t.Errorf("it takes itself for heard at %v", saved.Spoken)
	}
}

func TestRestartIsInvisible(t *testing.T) {
	p := newPair(t, 2, config(1), config(2)).up().run(10*time.Second).want(2, 2)
	saved := p.a.Save()
	conf := config(1)
	conf.Ports = portsOf("a", 2, 2)
	var changes []string
	p.net.Moved = func(n *lacptest.Node, m lacp.Move) {
		if n == p.nodeB {
			changes = append(changes, m.String())
		}
	}
	again, err := lacp.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	p.nodeA.Machine = dead{}
	p.run(2 * time.Second)
	if n := again.Restore(saved, p.net.Now); n != 2 {
		t.Fatalf("%d ports go on", n)
	}
	p.a, p.nodeA.Machine = again, again
	p.up().run(10*time.Second).want(2, 2)
	if len(changes) != 0 {
		t.Errorf("the partner saw %v", changes)
	}
	// Later than the partner's timeout everything begins anew.
	late, err := lacp.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	if n := late.Restore(saved, p.net.Now); n != 0 {
		t.Errorf("%d ports go on after 12 s", n)
	}
}

type dead struct{}

func (dead) Step(lacp.Input) lacp.Output { return lacp.Output{} }
func (dead) Deadline() agg.Instant       { return agg.Never }

func TestAlternatingPartnersAreDamped(t *testing.T) {
	p := newPair(t, 1, config(1), config(2)).up().run(time.Second).want(1, 1)
	sent := p.lacpdus["a"]
	for i := range 100 {
		pdu := slow.LACPDU{Version: 1, Actor: slow.Info{System: slow.Addr{2, 8, 0, 0, 0, byte(i % 2)}, Key: 1, Port: 1, State: 0x3f}}
		p.nodeA.Give(lacp.Input{Kind: lacp.Received, Port: 1, Frame: pdu.AppendFrame(nil, slow.Group(), slow.Addr{2})})
		p.run(100 * time.Millisecond)
	}
	p.reason(p.a, 1, lacp.ReasonDamped)
	if n := p.lacpdus["a"] - sent; n > 33 {
		t.Errorf("%d LACPDUs in 10 s", n)
	}
	p.run(12*time.Second).want(1, 1)
}

func TestDuplicatePartner(t *testing.T) {
	p := newPair(t, 2, config(1), config(2))
	nodeC, _, err := p.net.AddSystem("c", config(2), 2) // b's system ID and port numbers
	if err != nil {
		t.Fatal(err)
	}
	second := p.net.Connect(p.nodeA, 2, nodeC, 1)
	p.net.Up(p.wires[0], true)
	p.run(time.Second).want(1, 1)
	p.net.Up(second, true)
	p.run(10*time.Second).want(1, 1)
	p.reason(p.a, 2, lacp.ReasonDuplicate)
}

func TestChurn(t *testing.T) {
	a, b := config(1), config(2)
	a.MaxLinks = 1
	p := newPair(t, 2, a, b).up().run(59*time.Second).want(1, 1)
	if v := p.view(p.a, 2); v.ActorChurn != "CHURN_MONITOR" {
		t.Error(v.ActorChurn)
	}
	p.run(2 * time.Second)
	if v := p.view(p.a, 2); v.ActorChurn != "CHURN" || v.Counters.ActorChurns != 1 {
		t.Error(v.ActorChurn)
	}
	if v := p.view(p.b, 2); v.PartnerChurn != "CHURN" {
		t.Error(v.PartnerChurn)
	}
	p.net.Up(p.wires[0], false)
	p.run(50*time.Millisecond).want(1, 1)
	if v := p.view(p.a, 2); v.ActorChurn != "NO_CHURN" || v.PartnerChurn != "NO_CHURN" {
		t.Errorf("%s, %s", v.ActorChurn, v.PartnerChurn)
	}
}

func TestStrictWait(t *testing.T) {
	a, b := config(1), config(2)
	a.Wait = lacp.WaitStrict
	p := newPair(t, 3, a, b).up().run(1990*time.Millisecond).want(0, 0)
	p.reason(p.a, 1, lacp.ReasonWaiting)
	p.run(50*time.Millisecond).want(3, 3)
}

// A port that gives its place to a better one sends until its traffic has moved, or the time
// for that is over.
func TestYield(t *testing.T) {
	for _, told := range []bool{true, false} {
		a, b := config(1), config(2)
		a.MaxLinks, a.Yield = 1, 2*time.Second
		p := newPair(t, 2, a, b).up().run(300*time.Millisecond).want(1, 1)
		p.net.Up(p.wires[0], false)
		p.run(100 * time.Millisecond)
		p.net.Up(p.wires[0], true)
		p.run(time.Second).want(2, 2)
		if v := p.view(p.a, 2); !v.Yields || !v.Sends || p.a.Yields(1) {
			t.Fatalf("%+v", v)
		}
		if told {
			p.nodeA.Give(lacp.Input{Kind: lacp.Yielded, Port: 2})
			p.run(500*time.Millisecond).want(1, 1)
		} else {
			p.run(900*time.Millisecond).want(2, 2)
			p.run(500*time.Millisecond).want(1, 1)
		}
		if v := p.view(p.a, 2); v.Yields || v.Sends || v.Counters.TxMarker != 1 {
			t.Errorf("told %v: %+v", told, v)
		}
		// The better port fails before the other has given its place away: it keeps it.
		p.net.Up(p.wires[0], false)
		p.run(3*time.Second).want(1, 1)
		p.net.Up(p.wires[0], true)
		p.run(500*time.Millisecond).want(2, 2)
		p.net.Up(p.wires[0], false)
		p.run(100*time.Millisecond).want(1, 1)
		if v := p.view(p.a, 2); v.Yields || !v.Sends {
			t.Errorf("told %v, and the better port gone: %+v", told, v)
		}
	}
	wrong := config(1)
	wrong.Yield = -1
	if wrong.Check() == nil {
		t.Error("a negative time is taken")
	}
}
