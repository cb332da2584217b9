package engine

import "github.com/yokelag/yoke/agg"

// lagState follows the difference between the frames that a plane sent to a port and
// those that the port itself counted. The two are read one after the other, so only a
// difference that stays and grows over three readings means something.
type lagState struct {
	behind [3]uint64
}

func (l *lagState) push(f agg.PortFacts) {
	l.behind[0], l.behind[1] = l.behind[1], l.behind[2]
	l.behind[2] = 0
	if f.TxFrames > f.DeviceTxFrames {
		l.behind[2] = f.TxFrames - f.DeviceTxFrames
	}
}

// lost is the difference where it grows, else 0.
func (l lagState) lost() uint64 {
	if l.behind[0] > 0 && l.behind[1] > l.behind[0] && l.behind[2] > l.behind[1] {
		return l.behind[2]
	}
	return 0
}

// growth follows a counter.
type growth struct {
	known bool
	last  uint64
	grown uint64
}

func (g *growth) push(now uint64) {
	g.grown = 0
	if g.known && now > g.last {
		g.grown = now - g.last
	}
	g.known, g.last = true, now
}

// watchCounters is called with every periodic observation.
func (e *Engine) watchCounters(f agg.Facts) {
	for _, p := range f.Ports {
		if s, ok := e.ports[p.Name]; ok {
			s.lag.push(p)
		}
	}
	e.softnet.push(f.Counters[agg.BacklogDrops])
}
