package mem

import (
	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/policy"
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
	for _, w := range p.ways(a, frame) {
		if name, ok := p.leave(a, w, len(frame)); ok {
			out = append(out, name)
		}
	}
	return out
}

// way is where one copy of a frame goes; entry is agg.NoPort where another rule than the
// table chose.
type way struct{ entry, first, second int }

// ways chooses where a frame goes, as every plane must.
func (p *Plane) ways(a *aggregate, frame []byte) []way {
	class := policy.ClassesOf(frame)
	if class&a.plan.Copy != 0 {
		var all []way
		for i, port := range a.plan.Ports {
			if port.Transmit {
				all = append(all, way{agg.NoPort, i, agg.NoPort})
			}
		}
		return all
	}
	if one := a.plan.Multicast; class&a.plan.Unbalanced != 0 && one != agg.NoPort {
		return []way{{agg.NoPort, one, a.plan.Second(one)}}
	}
	var out []way
	for _, e := range p.entries(a, frame) {
		out = append(out, p.byEntry(a, e))
	}
	return out
}

// byEntry is the way by an entry, which moves here where it moves; see agg.Choice.
func (p *Plane) byEntry(a *aggregate, e int) way {
	c, b := a.plan.Table[e], &a.buckets[e]
	if from, _ := a.plan.Move(e); from != "" && p.w.clock.Now().Sub(b.LastUsed) >= agg.Pause {
		b.Moved = true
	}
	if b.Moved {
		return way{e, c.Second, c.First}
	}
	return way{e, c.First, c.Second}
}

// entries chooses the entries of the table that a frame takes.
func (p *Plane) entries(a *aggregate, frame []byte) []int {
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
		turn := a.walk / max(1, a.plan.PacketsPerPort)
		a.walk++
		return []int{turn % n}
	case agg.SelectRandom:
		return []int{p.w.random.IntN(n)}
	default:
		return []int{a.plan.Entry(policy.Hash(a.plan.Hash, frame, policy.Tag{}))}
	}
}

// leave sends by a first choice, or by the second where the first has lost its carrier:
// that is the guard.
func (p *Plane) leave(a *aggregate, w way, size int) (string, bool) {
	index := w.first
	if !p.alive(a, index) {
		if index >= 0 && p.alive(a, w.second) {
			if t := a.ports[a.plan.Ports[index].Name]; t != nil {
				t.facts.GuardMoved++
			}
			a.opened[w.second] = true // peers will answer there
		}
		index = w.second
	} else {
		delete(a.opened, w.second)
	}
	if !p.alive(a, index) {
		return "", false
	}
	t := a.ports[a.plan.Ports[index].Name]
	t.facts.TxFrames++
	t.facts.DeviceTxFrames++
	t.facts.TxBytes += uint64(size)
	if w.entry != agg.NoPort {
		b := &a.buckets[w.entry]
		b.Frames++
		b.Bytes += uint64(size)
		b.LastUsed = p.w.clock.Now()
	}
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
