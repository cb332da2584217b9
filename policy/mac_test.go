package policy

import (
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// macWorld is active-backup over p0, p1 and p2, whose own addresses end in 10, 11 and 12.
type macWorld struct {
	c     agg.Config
	state State
	down  map[string]bool
	own   map[string]agg.MAC
	taken map[string]agg.MAC // what the plane gave them
	mac   agg.MAC
}

func newMACWorld(p agg.FailOverMAC) *macWorld {
	w := &macWorld{
		c: agg.Config{Mode: agg.ActiveBackup, FailOverMAC: p}, down: map[string]bool{}, taken: map[string]agg.MAC{},
		own: map[string]agg.MAC{"p0": end(0x10), "p1": end(0x11), "p2": end(0x12)}, mac: end(0x10),
	}
	for _, name := range []string{"p0", "p1", "p2"} {
		w.c.Ports = append(w.c.Ports, agg.PortConfig{Name: name})
	}
	return w
}

func end(b byte) agg.MAC { return agg.MAC{2, 0, 0, 0, 1, b} }

// plan computes the next plan, and gives the ports their addresses as a plane would.
func (w *macWorld) plan() agg.Plan {
	in := Input{MAC: w.mac, Previous: w.state}
	for i, p := range w.c.Ports {
		mac := w.own[p.Name]
		if given, ok := w.taken[p.Name]; ok {
			mac = given
		}
		state := Up
		if w.down[p.Name] {
			state = Down
		}
		in.Ports = append(in.Ports, PortInput{
			Link:  agg.LinkFacts{Name: p.Name, Index: i + 1, Present: true, MAC: mac},
			Watch: Verdict{State: state},
		})
	}
	var plan agg.Plan
	plan, w.state, _ = Plan(w.c, in)
	for i, p := range plan.Ports {
		w.taken[p.Name] = plan.PortMAC(i)
	}
	return plan
}

// step is what must be after some ports went down: the last bytes of the addresses of the
// aggregate and of the ports.
type step struct {
	down             string
	bond, a0, a1, a2 byte
}

func TestWhoCarriesWhichAddress(t *testing.T) {
	for policy, steps := range map[agg.FailOverMAC][]step{
		agg.MACSame:       {{"", 0x10, 0x10, 0x10, 0x10}, {"p0", 0x10, 0x10, 0x10, 0x10}},
		agg.MACActive:     {{"", 0x10, 0x10, 0x11, 0x12}, {"p0", 0x11, 0x10, 0x11, 0x12}, {"p0p1", 0x12, 0x10, 0x11, 0x12}, {"p0p1p2", 0x12, 0x10, 0x11, 0x12}, {"p1p2", 0x10, 0x10, 0x11, 0x12}},
		agg.MACFollow:     {{"", 0x10, 0x10, 0x11, 0x12}, {"p0", 0x10, 0x11, 0x10, 0x12}, {"p0p1", 0x10, 0x12, 0x11, 0x10}, {"p1p2", 0x10, 0x10, 0x11, 0x12}},
		agg.MACOnlyActive: {{"", 0x10, 0x10, 0x11, 0x12}, {"p0", 0x10, 0x10, 0x10, 0x12}, {"p0p1", 0x10, 0x10, 0x11, 0x10}},
	} {
		w := newMACWorld(policy)
		for _, s := range steps {
			for name := range w.own {
				w.down[name] = strings.Contains(s.down, name)
			}
			p := w.plan()
			got := step{s.down, p.MAC[5], p.PortMAC(0)[5], p.PortMAC(1)[5], p.PortMAC(2)[5]}
			if got != s {
				t.Errorf("policy %d: got %x, want %x", policy, got, s)
			}
		}
	}
}

// Two ports with one address, as VLANs of one card have, do not keep it under follow.
func TestFollowGivesATwinAnotherAddress(t *testing.T) {
	w := newMACWorld(agg.MACFollow)
	w.own["p1"] = end(0x10)
	p := w.plan()
	first := p.PortMAC(1)
	if first == p.MAC || first.IsMulticast() || first[0]&2 == 0 {
		t.Errorf("the twin has %v", first)
	}
	w.down["p0"] = true
	if p := w.plan(); p.PortMAC(1) != p.MAC || p.PortMAC(0) != first {
		t.Errorf("after the change %v and %v", p.PortMAC(0), p.PortMAC(1))
	}
}

// A returned port of another ifindex is another interface with an address of its own.
func TestOwnAddressOfAReplacedPort(t *testing.T) {
	c := newMACWorld(agg.MACActive).c
	seen := func(index int, mac agg.MAC) []PortInput {
		return []PortInput{{Link: agg.LinkFacts{Name: "p0", Index: index, Present: true, MAC: mac}}}
	}
	own := rememberOwn(c, seen(1, end(1)), nil)
	own = rememberOwn(c, seen(1, end(2)), own) // what the plane gave it
	if own["p0"].MAC != end(1) {
		t.Errorf("remembered %v", own)
	}
	if own = rememberOwn(c, seen(9, end(3)), own); own["p0"].MAC != end(3) {
		t.Errorf("remembered %v", own)
	}
}
