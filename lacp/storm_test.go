package lacp_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/lacptest"
)

// A link that has bounced 20 times carries within 300 ms of its last return, and no port
// has sent more than ten LACPDUs within any second.
func TestStorm(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := newPair(t, 2, config(1), config(2)).up().run(5*time.Second + time.Duration(r.IntN(1000))*time.Millisecond)
		var times []agg.Instant
		p.net.Sent = func(n *lacptest.Node, s lacp.Send) {
			if n != p.nodeA || s.Port != 1 {
				return
			}
			times = append(times, p.net.Now)
			if i := len(times) - 11; i >= 0 && p.net.Now.Sub(times[i]) < time.Second {
				t.Errorf("seed %d: 11 LACPDUs in %v", seed, p.net.Now.Sub(times[i]))
			}
		}
		for range 20 {
			p.net.Up(p.wires[0], false)
			p.run(time.Duration(100+r.IntN(150)) * time.Millisecond)
			p.net.Up(p.wires[0], true)
			p.run(time.Duration(r.IntN(350)) * time.Millisecond)
		}
		p.run(300*time.Millisecond).want(2, 2)
	}
}

// A saved state survives being written down.
func TestSavedIsWrittenDown(t *testing.T) {
	p := newPair(t, 3, config(1), config(2)).up().run(5*time.Second).want(3, 3)
	p.net.Up(p.wires[2], false)
	text, err := json.Marshal(p.a.Save())
	if err != nil {
		t.Fatal(err)
	}
	var back lacp.Saved
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	conf := config(1)
	conf.Ports = portsOf("a", 2, 3)
	s, err := lacp.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.Restore(back, p.net.Now.Add(time.Second)); n != 2 || s.Active() != p.a.Active() || sending(s) != 2 {
		t.Errorf("%d ports go on, %d send", n, sending(s))
	}
	for _, other := range []func(*lacp.Saved){
		func(b *lacp.Saved) { b.System = agg.MAC{2, 9} },
		func(b *lacp.Saved) { b.At = p.net.Now.Add(time.Hour) },
	} {
		changed := back
		other(&changed)
		s, err := lacp.New(conf)
		if err != nil {
			t.Fatal(err)
		}
		if n := s.Restore(changed, p.net.Now); n != 0 {
			t.Errorf("%d ports go on from a state that is not theirs", n)
		}
	}
}

// Ticks that come before the deadline say and change nothing.
func TestDeadlineIsExact(t *testing.T) {
	conf := config(1)
	conf.MaxLinks, conf.WaitToRestore, conf.Fallback = 1, time.Second, lacp.FallbackStatic
	p := newPair(t, 2, conf, config(2))
	steps := []func(){
		func() { p.up() },
		func() { p.net.Up(p.wires[0], false) },
		func() { p.net.Up(p.wires[0], true) },
		func() { p.nodeA.Give(lacp.Input{Kind: lacp.Drain, Port: 2}) },
		func() { p.wires[0].Fault, p.wires[1].Fault = lose, lose },
		func() { p.wires[0].Fault, p.wires[1].Fault = nil, nil },
	}
	for _, step := range steps {
		step()
		for range 40 {
			p.run(97 * time.Millisecond)
			if d := p.a.Deadline(); d == agg.Never || d <= p.net.Now {
				continue
			}
			before := p.a.Deadline()
			out := p.a.Step(lacp.Input{At: p.net.Now, Kind: lacp.Tick})
			if len(out.Moves) != 0 || len(out.Send) != 0 || out.Replan || p.a.Deadline() != before {
				t.Fatalf("%v: an early tick gave %+v, deadline %v then %v", p.net.Now.Sub(lacptest.Beginning), out, before, p.a.Deadline())
			}
		}
	}
}
