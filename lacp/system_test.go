package lacp_test

import (
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/lacptest"
)

// pair is two systems of ours with wires between equal ports.
type pair struct {
	t            *testing.T
	net          *lacptest.Net
	a, b         *lacp.System
	nodeA, nodeB *lacptest.Node
	wires        []*lacptest.Wire
	lacpdus      map[string]int
}

func config(last byte) lacp.Config {
	return lacp.Config{System: agg.MAC{2, 0, 0, 0, 0, last}, SystemPriority: 65535, Active: true, Short: true, Strict: true}
}

func newPair(t *testing.T, ports int, a, b lacp.Config) *pair {
	t.Helper()
	p := &pair{t: t, net: lacptest.New(), lacpdus: map[string]int{}}
	var err error
	if p.nodeA, p.a, err = p.net.AddSystem("a", a, ports); err != nil {
		t.Fatal(err)
	}
	if p.nodeB, p.b, err = p.net.AddSystem("b", b, ports); err != nil {
		t.Fatal(err)
	}
	tally(t, p.a)
	tally(t, p.b)
	for i := range ports {
		p.wires = append(p.wires, p.net.Connect(p.nodeA, uint16(i+1), p.nodeB, uint16(i+1)))
	}
	p.net.Check = func(n *lacptest.Node) error {
		if s, ok := n.Machine.(*lacp.System); ok {
			return lacptest.Invariants(s)
		}
		return nil
	}
	p.net.Sent = func(n *lacptest.Node, s lacp.Send) {
		if s.LACPDU {
			p.lacpdus[n.Name]++
		}
	}
	return p
}

func (p *pair) up() *pair {
	for _, w := range p.wires {
		p.net.Up(w, true)
	}
	return p
}

func (p *pair) run(d time.Duration) *pair {
	p.t.Helper()
	if err := p.net.Run(d); err != nil {
		p.t.Fatal(err)
	}
	return p
}

// sending returns how many ports send.
func sending(s *lacp.System) int {
	n := 0
	for _, number := range s.Ports() {
		if _, sends := s.Open(number); sends {
			n++
		}
	}
	return n
}

func (p *pair) want(a, b int) *pair {
	p.t.Helper()
	if x, y := sending(p.a), sending(p.b); x != a || y != b {
		p.t.Errorf("%v: %d and %d ports send, want %d and %d", p.net.Now.Sub(lacptest.Beginning), x, y, a, b)
		for _, s := range []*lacp.System{p.a, p.b} {
			for _, number := range s.Ports() {
				p.t.Logf("%d: %+v", number, s.Gate(number))
			}
		}
		p.t.FailNow()
	}
	return p
}

func TestColdStart(t *testing.T) {
	for _, coupled := range []bool{false, true} {
		a, b := config(1), config(2)
		a.Coupled, b.Coupled = coupled, coupled
		p := newPair(t, 1, a, b).up().run(5*time.Millisecond).want(1, 1)
		if p.lacpdus["a"] > 3 || p.lacpdus["b"] > 3 {
			t.Errorf("%v LACPDUs, want at most 3 each", p.lacpdus)
		}
		if !p.a.Carrier() || !p.b.Carrier() {
			t.Error("no carrier")
		}
	}
}

func TestColdStartEightPorts(t *testing.T) {
	p := newPair(t, 8, config(1), config(2))
	for _, w := range p.wires {
		p.net.Up(w, true)
		p.run(10 * time.Millisecond)
	}
	p.run(50*time.Millisecond).want(8, 8)
}

func TestSteady(t *testing.T) {
	p := newPair(t, 2, config(1), config(2)).up().run(time.Second).want(2, 2)
	clear(p.lacpdus)
	p.run(100*time.Second).want(2, 2)
	if n := p.lacpdus["a"]; n < 190 || n > 210 {
		t.Errorf("%d LACPDUs of two ports in 100 s at fast rate", n)
	}
}
