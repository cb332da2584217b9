package mem

import (
	"github.com/yokelag/yoke/agg"
)

// Send sends a frame on the aggregate and returns the ports at whose far ends it
// arrives: none where it is dropped.
func (p *Plane) Send(frame []byte) []string {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	a := p.w.aggregates[p.name]
	if a == nil || a.plan == nil || a.plan.Blocked || !a.device.Present {
		return nil
	}
	var out []string
	for _, entry := range entries(a, frame) {
		if name, ok := p.leave(a, entry, len(frame)); ok {
			out = append(out, name)
		}
	}
	return out
}

// entries chooses the entries of the table that a frame takes.
func entries(a *aggregate, frame []byte) []int {
	n := len(a.plan.Table)
	if n == 0 {
		return nil
	}
	switch a.plan.Select {
	case agg.SelectBroadcast:
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		return all
	case agg.SelectRoundRobin:
		each := max(1, a.plan.PacketsPerPort)
		i := a.walk / each % n
		a.walk++
		return []int{i}
	default:
		return []int{a.plan.Entry(hash(a.plan, frame))}
	}
}

// leave sends by an entry's first choice, or by the second where the first has lost
// its carrier: that is the guard.
func (p *Plane) leave(a *aggregate, entry, size int) (string, bool) {
	c := a.plan.Table[entry]
	index := c.First
	if !p.alive(a, index) {
		if index >= 0 && p.alive(a, c.Second) {
			if t := a.ports[a.plan.Ports[index].Name]; t != nil {
				t.facts.GuardMoved++
			}
			a.opened[c.Second] = true // peers will answer there
		}
		index = c.Second
	} else {
		delete(a.opened, c.Second)
	}
	if !p.alive(a, index) {
		return "", false
	}
	t := a.ports[a.plan.Ports[index].Name]
	t.facts.TxFrames++
	t.facts.DeviceTxFrames++
	t.facts.TxBytes += uint64(size)
	b := &a.buckets[entry]
	b.Frames++
	b.Bytes += uint64(size)
	b.LastUsed = p.w.clock.Now()
	return a.plan.Ports[index].Name, true
}

// alive reports whether a frame given to the plan's port arrives at its far end.
func (p *Plane) alive(a *aggregate, index int) bool {
	if index < 0 {
		return false
	}
	port := a.plan.Ports[index]
	l := p.w.link(port.Name)
	return l.Present && l.Index == port.Index && l.Carrier && a.ports[port.Name] != nil
}

// Receive sends a frame from the far end of a port and reports whether the aggregate
// receives it.
func (p *Plane) Receive(port string, frame []byte) bool {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	a := p.w.aggregates[p.name]
	if a == nil || a.plan == nil {
		return false
	}
	i := a.plan.PortByName(port)
	if !p.alive(a, i) {
		return false
	}
	t := a.ports[port]
	if a.plan.Blocked || !a.plan.Ports[i].Receive && !a.opened[i] || !a.device.Present {
		t.facts.RxDropped++
		return false
	}
	t.facts.RxFrames++
	t.facts.RxBytes += uint64(len(frame))
	return true
}
