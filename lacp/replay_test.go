package lacp_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/lacptest"
	"github.com/yokelag/yoke/wire/slow"
)

// stormy loses, doubles and delays.
func stormy(r *rand.Rand, loss float64) func(*lacptest.Node, []byte) []time.Duration {
	return func(*lacptest.Node, []byte) []time.Duration {
		if r.Float64() < loss {
			return nil
		}
		out := []time.Duration{time.Duration(r.IntN(3000)) * time.Microsecond}
		if r.IntN(10) == 0 {
			out = append(out, time.Duration(r.IntN(30))*time.Millisecond)
		}
		return out
	}
}

// TestSeeds breaks wires at random, checks the invariants after every step, and wants
// everything to carry soon after the faults stop.
func TestSeeds(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		a, b := config(1), config(2)
		a.Coupled, b.Coupled = r.IntN(2) == 0, r.IntN(2) == 0
		b.Short, b.Active = r.IntN(2) == 0, r.IntN(3) != 0
		want := 4
		if r.IntN(3) == 0 {
			a.MaxLinks, a.NonRevertive = 2, r.IntN(2) == 0
			want = 2
		}
		p := newPair(t, 4, a, b)
		p.nodeA.Record = true
		for _, w := range p.wires {
			w.Fault = stormy(r, 0.3)
		}
		for range 60 {
			switch w := p.wires[r.IntN(4)]; r.IntN(8) {
			case 0, 1:
				p.net.Up(w, false)
			case 2, 3:
				p.net.Up(w, true)
			case 4:
				w.Deafen([]*lacptest.Node{p.nodeA, p.nodeB}[r.IntN(2)], r.IntN(2) == 0)
			case 5:
				p.nodeA.Give(lacp.Input{Kind: lacp.Drain, Port: uint16(1 + r.IntN(4))})
			case 6:
				p.nodeA.Give(lacp.Input{Kind: lacp.Undrain, Port: uint16(1 + r.IntN(4))})
			}
			p.run(time.Duration(r.IntN(4000)) * time.Millisecond)
		}
		for i, w := range p.wires {
			w.Fault = nil
			w.Deafen(p.nodeA, false)
			w.Deafen(p.nodeB, false)
			p.nodeA.Give(lacp.Input{Kind: lacp.Undrain, Port: uint16(i + 1)})
			p.net.Up(w, true)
		}
		p.run(5 * time.Second)
		if x, y := sending(p.a), sending(p.b); x != want || y != want {
			t.Errorf("seed %d: %d and %d ports send, want %d", seed, x, y, want)
			for _, number := range p.a.Ports() {
				t.Logf("%+v\n%+v", p.a.Gate(number), p.b.Gate(number))
			}
		}
		replays(t, seed, p)
	}
}

// replays writes the inputs down and steps another system by what was read back.
func replays(t *testing.T, seed uint64, p *pair) {
	t.Helper()
	conf := config(1)
	text, err := json.Marshal(p.nodeA.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	var first string
	for range 2 {
		var inputs []lacp.Input
		if err := json.Unmarshal(text, &inputs); err != nil {
			t.Fatal(err)
		}
		conf.Ports = portsOf("a", 2, 4)
		s, err := lacp.New(conf)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, in := range inputs {
			out := s.Step(in)
			fmt.Fprint(&b, out.Moves)
			for _, f := range out.Send {
				fmt.Fprintf(&b, "%d %x;", f.Port, f.Frame)
			}
		}
		got := b.String()
		if first != "" && got != first {
			t.Errorf("seed %d: two replays differ", seed)
		}
		first = got
	}
}

// FuzzReceived: no frame breaks a system, or makes it speak beyond its limit.
func FuzzReceived(f *testing.F) {
	pdu := slow.LACPDU{Version: 1, Actor: slow.Info{System: slow.Addr{2, 8}, Key: 1, Port: 1, State: 0x3f}}
	f.Add(pdu.AppendFrame(nil, slow.Group(), slow.Addr{2}))
	m := slow.Marker{Version: 1, Type: 1}
	f.Add(m.AppendFrame(nil, slow.Group(), slow.Addr{2}))
	f.Fuzz(func(t *testing.T, frame []byte) {
		conf := config(1)
		conf.Ports = portsOf("a", 2, 2)
		s, err := lacp.New(conf)
		if err != nil {
			t.Fatal(err)
		}
		at, sent := agg.Instant(time.Hour), 0
		for port := uint16(1); port <= 2; port++ {
			sent += len(s.Step(lacp.Input{At: at, Kind: lacp.LinkChanged, Port: port, Link: lacp.Link{Up: true}}).Send)
		}
		for range 50 {
			sent += len(s.Step(lacp.Input{At: at, Kind: lacp.Received, Port: 1, Frame: frame}).Send)
		}
		if err := lacptest.Invariants(s); err != nil {
			t.Error(err)
		}
		if sent > 2*lacp.TransmitLimit+20 {
			t.Errorf("%d frames within an instant", sent)
		}
	})
}

// A million LACPDUs to 64 ports, one a second and port, as a fast partner sends them.
func BenchmarkReceived(b *testing.B) {
	conf := config(1)
	for i := range 64 {
		conf.Ports = append(conf.Ports, lacp.Port{Number: uint16(i + 1), Priority: 255})
	}
	s, err := lacp.New(conf)
	if err != nil {
		b.Fatal(err)
	}
	at := agg.Instant(time.Hour)
	link := lacp.Link{Up: true, Speed: 10000, FullDuplex: true}
	frames := make([][]byte, 64)
	for i := range frames {
		number := uint16(i + 1)
		s.Step(lacp.Input{At: at, Kind: lacp.LinkChanged, Port: number, Link: link})
		frames[i] = partnerFrame(s, number)
	}
	for range 3 { // until the frames say what the system is by now
		for i := range frames {
			s.Step(lacp.Input{At: at, Kind: lacp.Received, Port: uint16(i + 1), Frame: frames[i]})
			frames[i] = partnerFrame(s, uint16(i+1))
		}
		at = at.Add(time.Second)
	}
	if n := sending(s); n != 64 {
		b.Fatalf("%d ports send", n)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		s.Step(lacp.Input{At: at, Kind: lacp.Received, Port: uint16(n%64 + 1), Frame: frames[n%64]})
		if n++; n%64 == 0 {
			at = at.Add(time.Second)
			s.Step(lacp.Input{At: at, Kind: lacp.Tick})
		}
	}
	if n := sending(s); n != 64 {
		b.Fatalf("%d ports send at the end", n)
	}
}

// partnerFrame is what a partner says that sees the port as it is.
func partnerFrame(s *lacp.System, number uint16) []byte {
	p, _ := s.Port(number)
	a := p.Actor
	pdu := slow.LACPDU{
		Version: 1,
		Actor:   slow.Info{System: slow.Addr{2, 8}, Key: 1, Port: number, State: 0x3f},
		Partner: slow.Info{SystemPriority: a.SystemPriority, System: slow.Addr(a.System), Key: a.Key, PortPriority: a.PortPriority, Port: a.Port, State: a.State},
	}
	return pdu.AppendFrame(nil, slow.Group(), slow.Addr{2})
}

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	conf := config(1)
	conf.Ports = portsOf("a", 2, 1)
	s, err := lacp.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	at := agg.Instant(time.Hour)
	s.Step(lacp.Input{At: at, Kind: lacp.LinkChanged, Port: 1, Link: lacp.Link{Up: true}})
	frame := partnerFrame(s, 1)
	step := func() {
		at = at.Add(time.Second)
		s.Step(lacp.Input{At: at, Kind: lacp.Received, Port: 1, Frame: frame})
		s.Step(lacp.Input{At: at, Kind: lacp.Tick})
	}
	for range 5 {
		step()
		frame = partnerFrame(s, 1)
	}
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("%v allocations a second", n)
	}
}
