package lacp_test

import (
	"fmt"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/lacptest"
)

// Two systems negotiate over one wire.
func Example() {
	net := lacptest.New()
	a, left, _ := net.AddSystem("a", lacp.Config{System: agg.MAC{2, 0, 0, 0, 0, 1}, Active: true, Short: true, Strict: true}, 1)
	b, right, _ := net.AddSystem("b", lacp.Config{System: agg.MAC{2, 0, 0, 0, 0, 2}, Active: true, Short: true, Strict: true}, 1)
	net.Up(net.Connect(a, 1, b, 1), true)
	_ = net.Run(10 * time.Millisecond)
	for _, s := range []*lacp.System{left, right} {
		p, _ := s.Port(1)
		fmt.Println(s.Carrier(), p.Mux, p.Actor.State.Letters(), p.Partner.State.Letters())
	}
	// Output:
	// true DISTRIBUTING ..DCSGSA ...CSGSA
	// true DISTRIBUTING ..DCSGSA ...CSGSA
}

// A port that does not carry says why, and where to look.
func ExampleSystem_Gate() {
	s, _ := lacp.New(lacp.Config{System: agg.MAC{2, 0, 0, 0, 0, 1}, Active: true, Ports: []lacp.Port{{Number: 1, Name: "eth1"}}})
	s.Step(lacp.Input{At: agg.Instant(time.Hour), Kind: lacp.LinkChanged, Port: 1, Link: lacp.Link{Up: true, Speed: 10000, FullDuplex: true}})
	g := s.Gate(1)
	fmt.Println(g.OK, g.Reason)
	fmt.Println(g.Detail)
	fmt.Println(g.Check)
	// Output:
	// false lacp-no-partner
	// no LACPDU heard yet; given up in 3s; we: active,aggregatable,defaulted,expired
	// LACP on the switch's port
}

// A caller steps a system, publishes what is open, and then sends.
func ExampleSystem_Step() {
	s, _ := lacp.New(lacp.Config{System: agg.MAC{2, 0, 0, 0, 0, 1}, Active: true, Ports: []lacp.Port{{Number: 1, Name: "eth1"}}})
	out := s.Step(lacp.Input{At: agg.Instant(time.Hour), Kind: lacp.LinkChanged, Port: 1, Link: lacp.Link{Up: true}})
	for _, m := range out.Moves {
		fmt.Println(m)
	}
	fmt.Println(len(out.Send), "frame; next deadline in", s.Deadline().Sub(s.Now()).Truncate(100*time.Millisecond))
	// Output:
	// RX-01 Receive INITIALIZE -> INITIALIZE
	// MX-01 Mux DETACHED -> DETACHED
	// RX-02 Receive INITIALIZE -> PORT_DISABLED
	// RX-05 Receive PORT_DISABLED -> EXPIRED
	// PT-02 Periodic NO_PERIODIC -> FAST_PERIODIC
	// 1 frame; next deadline in 100ms
}
