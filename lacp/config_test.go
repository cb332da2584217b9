package lacp_test

import (
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/lacptest"
	"github.com/yokelag/yoke/wire"
	"github.com/yokelag/yoke/wire/slow"
)

func TestConfigRefuses(t *testing.T) {
	for name, change := range map[string]func(*lacp.Config){
		"no system":        func(c *lacp.Config) { c.System = agg.MAC{} },
		"group address":    func(c *lacp.Config) { c.System = agg.MAC{1} },
		"max below min":    func(c *lacp.Config) { c.MinLinks, c.MaxLinks = 3, 2 },
		"negative":         func(c *lacp.Config) { c.MinLinks = -1 },
		"port 0":           func(c *lacp.Config) { c.Ports[0].Number = 0 },
		"one number twice": func(c *lacp.Config) { c.Ports[1].Number = 1 },
		"65 ports":         func(c *lacp.Config) { c.Ports = make([]lacp.Port, 65) },
	} {
		c := config(1)
		c.Ports = portsOf("a", 2, 2)
		change(&c)
		if _, err := lacp.New(c); err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}

func TestSystemChange(t *testing.T) {
	p := newPair(t, 2, config(1), config(2)).up().run(2*time.Second).want(2, 2)
	conf := config(7)
	conf.Ports = portsOf("a", 2, 2)
	p.nodeA.Give(lacp.Input{Kind: lacp.Configure, Conf: &conf})
	p.run(1200*time.Millisecond).want(2, 2)
	if v := p.view(p.b, 1); v.Partner.System != conf.System {
		t.Errorf("the partner knows %v", v.Partner.System)
	}
	bad := conf
	bad.System = agg.MAC{}
	p.nodeA.Give(lacp.Input{Kind: lacp.Configure, Conf: &bad})
	p.run(5*time.Second).want(2, 2)
}

func TestControlChange(t *testing.T) {
	p := newPair(t, 1, config(1), config(2)).up().run(2*time.Second).want(1, 1)
	for _, coupled := range []bool{true, false} {
		conf := config(1)
		conf.Coupled, conf.Ports = coupled, portsOf("a", 2, 1)
		p.nodeA.Give(lacp.Input{Kind: lacp.Configure, Conf: &conf})
		want := map[bool]string{true: "COLLECTING_DISTRIBUTING", false: "DISTRIBUTING"}[coupled]
		if v := p.run(2*time.Second).want(1, 1).view(p.a, 1); v.Mux != want {
			t.Errorf("%s, want %s", v.Mux, want)
		}
	}
}

func TestPartnerAdminChange(t *testing.T) {
	a := config(1)
	p := newPair(t, 1, a, config(2))
	p.wires[0].Fault = lose
	p.up().run(4 * time.Second)
	a.PartnerAdmin, a.Ports = slow.Info{Key: 5}, portsOf("a", 2, 1)
	p.nodeA.Give(lacp.Input{Kind: lacp.Configure, Conf: &a})
	if v := p.view(p.a, 1); v.Partner.Key != 5 || v.Receive != "DEFAULTED" {
		t.Errorf("%+v", v)
	}
}

func TestLACPOffAndOn(t *testing.T) {
	p := newPair(t, 2, config(1), config(2)).up().run(2*time.Second).want(2, 2)
	conf := config(1)
	conf.Ports = portsOf("a", 2, 2)
	conf.Ports[0].Disabled = true
	p.nodeA.Give(lacp.Input{Kind: lacp.Configure, Conf: &conf})
	p.want(1, 2).run(7*time.Second).want(1, 1)
	if v := p.view(p.a, 1); v.Receive != "LACP_DISABLED" {
		t.Error(v.Receive)
	}
	conf.Ports[0].Disabled = false
	p.nodeA.Give(lacp.Input{Kind: lacp.Configure, Conf: &conf})
	p.run(1200*time.Millisecond).want(2, 2)
}

func TestIndividual(t *testing.T) {
	a := config(1)
	p := newPair(t, 3, a, config(2)).up().run(2*time.Second).want(3, 3)
	a.Ports = portsOf("a", 2, 3)
	a.Ports[2].Individual = true
	p.nodeA.Give(lacp.Input{Kind: lacp.Configure, Conf: &a})
	p.run(5*time.Second).want(2, 2)
	p.reason(p.a, 3, lacp.ReasonOtherAggregator)
	p.reason(p.b, 3, lacp.ReasonOtherAggregator)
	if v := p.view(p.a, 3); v.Aggregator == p.view(p.a, 1).Aggregator {
		t.Error("an individual link shares an aggregator")
	}
}

// Each field of the partner's view that differs keeps the port out of sync.
func TestMatch(t *testing.T) {
	for name, change := range map[string]func(*slow.Info){
		"port":            func(i *slow.Info) { i.Port++ },
		"port priority":   func(i *slow.Info) { i.PortPriority++ },
		"system":          func(i *slow.Info) { i.System[5]++ },
		"system priority": func(i *slow.Info) { i.SystemPriority-- },
		"key":             func(i *slow.Info) { i.Key++ },
		"aggregation":     func(i *slow.Info) { i.State ^= slow.Aggregation },
	} {
		s, give := lonely(t, config(1))
		give(func(*slow.LACPDU) {})
		if sending(s) != 1 {
			t.Fatalf("%s: %+v", name, s.Gate(1))
		}
		give(func(p *slow.LACPDU) { change(&p.Partner) })
		if g := s.Gate(1); sending(s) != 0 || g.Reason != lacp.ReasonMismatch {
			t.Errorf("%s: %+v", name, g)
		}
	}
	// What is not compared changes nothing.
	s, give := lonely(t, config(1))
	give(func(*slow.LACPDU) {})
	out := give(func(p *slow.LACPDU) {
		p.Partner.State ^= slow.Collecting | slow.Distributing | slow.Defaulted | slow.Expired
	})
	if sending(s) != 1 || len(out.Send) != 0 {
		t.Errorf("%+v, %d frames", s.Gate(1), len(out.Send))
	}
	// An individual partner needs no match.
	s, give = lonely(t, config(1))
	give(func(p *slow.LACPDU) { p.Actor.State &^= slow.Aggregation; p.Partner = slow.Info{} })
	if sending(s) != 1 {
		t.Errorf("individual partner: %+v", s.Gate(1))
	}
}

func TestNotMaintained(t *testing.T) {
	conf := config(1)
	conf.Active = false
	s, give := lonely(t, conf)
	give(func(p *slow.LACPDU) { p.Actor.State &^= slow.Activity })
	if g := s.Gate(1); g.Reason != lacp.ReasonNotMaintained {
		t.Errorf("%+v", g)
	}
}

// lonely is a system with one port, and a partner that agrees with it but for a change.
func lonely(t *testing.T, conf lacp.Config) (*lacp.System, func(func(*slow.LACPDU)) lacp.Output) {
	t.Helper()
	conf.Ports = portsOf("a", 2, 1)
	s, err := lacp.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	tally(t, s)
	at := agg.Instant(time.Hour)
	s.Step(lacp.Input{At: at, Kind: lacp.LinkChanged, Port: 1, Link: lacp.Link{Up: true, Speed: 10000, FullDuplex: true}})
	say := func(change func(*slow.LACPDU)) lacp.Output {
		at = at.Add(time.Second)
		f, _ := slow.Parse(partnerFrame(s, 1), slow.Addr{})
		pdu, err := slow.ParseLACPDU(f.Payload)
		if err != nil {
			t.Fatal(err)
		}
		change(&pdu)
		return s.Step(lacp.Input{At: at, Kind: lacp.Received, Port: 1, Frame: pdu.AppendFrame(nil, slow.Group(), slow.Addr{2})})
	}
	return s, func(change func(*slow.LACPDU)) (out lacp.Output) {
		for range 3 { // once heard, twice agreed
			out = say(change)
		}
		return out
	}
}

// TestDropsAreCounted walks the rows of malformed input that the machines decide.
func TestDropsAreCounted(t *testing.T) {
	raw := func(change func([]byte)) []byte {
		pdu := slow.LACPDU{Version: 1, Actor: slow.Info{System: slow.Addr{2, 8}, Key: 1, Port: 1, State: 0x07}}
		b := pdu.AppendFrame(nil, slow.Group(), slow.Addr{2})
		change(b[wire.EthernetLen:])
		return b
	}
	tags, _ := wire.MakeTags(wire.VLAN{Type: wire.TypeVLAN, TCI: 5})
	for _, c := range []struct {
		name  string
		frame []byte
		count func(lacp.Counters) uint64
		used  bool
	}{
		{"subtype 0", raw(func(b []byte) { b[0] = 0 }), func(c lacp.Counters) uint64 { return c.RxIllegal }, false},
		{"OAM", raw(func(b []byte) { b[0] = 3 }), func(c lacp.Counters) uint64 { return 1 }, false},
		{"short", raw(func([]byte) {})[:100], func(c lacp.Counters) uint64 { return c.RxIllegal }, false},
		{"actor length", raw(func(b []byte) { b[3] = 0 }), func(c lacp.Counters) uint64 { return c.RxIllegal }, false},
		{"actor zero", raw(func(b []byte) { clear(b[6:12]) }), func(c lacp.Counters) uint64 { return c.RxIllegal }, false},
		{"LLDP", wire.Ethernet{Dst: slow.Group(), Type: wire.TypeLLDP}.AppendTo(nil), func(c lacp.Counters) uint64 { return c.RxUnknown }, false},
		{"VLAN 5", append(wire.Ethernet{Dst: slow.Group(), Tags: tags, Type: wire.TypeSlow}.AppendTo(nil), raw(func([]byte) {})[14:]...), func(c lacp.Counters) uint64 { return c.RxTagged }, false},
		{"version 0xF1", raw(func(b []byte) { b[1] = 0xf1 }), func(c lacp.Counters) uint64 { return uint64(c.RxVersion) / 0xf1 }, true},
		{"types", raw(func(b []byte) { b[2] = 9 }), func(c lacp.Counters) uint64 { return c.RxOddType }, true},
		{"bad TLV", raw(func(b []byte) { b[58] = 9 }), func(c lacp.Counters) uint64 { return c.RxBadTLV }, true},
		{"terminator", raw(func(b []byte) { b[59] = 4 }), func(c lacp.Counters) uint64 { return c.RxBadTLV }, true},
		{"key 0", raw(func(b []byte) { clear(b[12:14]) }), func(c lacp.Counters) uint64 { return c.RxZero }, true},
		{"our own", raw(func(b []byte) { copy(b[6:], []byte{2, 0, 0, 0, 0, 1}) }), func(c lacp.Counters) uint64 { return c.RxLoop }, false},
		{"no Ethernet", []byte{1}, func(c lacp.Counters) uint64 { return c.RxIllegal }, false},
		{"marker length", (func() []byte {
			b := (&slow.Marker{Type: 1}).AppendFrame(nil, slow.Group(), slow.Addr{2})
			b[17] = 3
			return b
		})(), func(c lacp.Counters) uint64 { return c.RxIllegal }, false},
	} {
		s, _ := lonely(t, config(1))
		s.Step(lacp.Input{At: s.Now(), Kind: lacp.Received, Port: 1, Frame: c.frame})
		v, _ := s.Port(1)
		if c.count(v.Counters) != 1 || (v.Receive == "CURRENT") != c.used {
			t.Errorf("%s: %s, %+v", c.name, v.Receive, v.Counters)
		}
	}
	s, _ := lonely(t, config(1))
	s.Step(lacp.Input{At: s.Now(), Kind: lacp.LinkChanged, Port: 1})
	if out := s.Step(lacp.Input{At: s.Now(), Kind: lacp.Received, Port: 1, Frame: raw(func([]byte) {})}); !out.ReadLinks {
		t.Error("a frame on a port that is down asks for a look at the link")
	}
	if v, _ := s.Port(1); v.Counters.RxDown != 1 {
		t.Errorf("%+v", v.Counters)
	}
}

func TestFloodIsBounded(t *testing.T) {
	s, _ := lonely(t, config(1))
	pdu := slow.LACPDU{Version: 1, Actor: slow.Info{System: slow.Addr{2, 8}, Key: 1, Port: 1, State: 0x07}}
	frame := pdu.AppendFrame(nil, slow.Group(), slow.Addr{2})
	sent := 0
	for i := range 100000 {
		sent += len(s.Step(lacp.Input{At: s.Now().Add(10 * time.Microsecond), Kind: lacp.Received, Port: 1, Frame: frame}).Send)
		if i%1000 == 0 {
			sent += len(s.Step(lacp.Input{At: s.Now(), Kind: lacp.Tick}).Send)
		}
	}
	v, _ := s.Port(1)
	if sent > 6 || v.Counters.RxLACPDU > 31 || v.Counters.RxLimited < 99900 {
		t.Errorf("%d sent; %+v", sent, v.Counters)
	}
}

func TestRestartInFallback(t *testing.T) {
	a := config(1)
	a.Fallback = lacp.FallbackStatic
	p := newPair(t, 2, a, config(2))
	p.wires[0].Fault, p.wires[1].Fault = lose, lose
	p.up().run(5*time.Second).want(1, 0)
	saved := p.a.Save()
	a.Ports = portsOf("a", 2, 2)
	again, err := lacp.New(a)
	if err != nil {
		t.Fatal(err)
	}
	if n := again.Restore(saved, p.net.Now); n != 1 || sending(again) != 1 || !again.Carrier() {
		t.Errorf("%d ports go on, %d send", n, sending(again))
	}
	p.a, p.nodeA.Machine = again, again
	p.up().run(5*time.Second).want(1, 0)
}

// An odd configuration of speeds still gives keys.
func TestKeys(t *testing.T) {
	keys := map[uint16]uint32{}
	for _, speed := range []uint32{0, 10, 100, 1000, 2500, 5000, 10000, 25000, 40000, 100000, 400000, 800000, 1600000} {
		conf := config(1)
		conf.UserKey, conf.Ports = 3, portsOf("a", 2, 1)
		s, err := lacp.New(conf)
		if err != nil {
			t.Fatal(err)
		}
		s.Step(lacp.Input{At: lacptest.Beginning, Kind: lacp.LinkChanged, Port: 1, Link: lacp.Link{Up: true, Speed: speed, FullDuplex: true}})
		v, _ := s.Port(1)
		if other, twice := keys[v.Actor.Key]; twice || v.Actor.Key>>6 != 3 || v.Actor.Key&1 != 1 {
			t.Errorf("%d Mb/s has key %#x, as %d", speed, v.Actor.Key, other)
		}
		keys[v.Actor.Key] = speed
	}
	if keys[3<<6|15] != 10000 {
		t.Errorf("10 Gb/s has not bonding's key: %v", keys)
	}
}
