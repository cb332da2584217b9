package lacp

import (
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire/slow"
)

// System is one actor with its ports. It has one owner and no locks.
type System struct {
	cfg   Config
	ports []*port // by number
	now   agg.Instant
	// settled is when the machines last ran to their fixed point.
	settled agg.Instant
	ticking bool
	dirty   bool
	// active is the aggregator that carries, 0 for none.
	active  uint16
	carrier bool
	// silent is since when no port knows a partner, fallbackEnds when the port of a
	// fallback closes although no other is open.
	silent, fallbackEnds agg.Instant
	out                  Output
	taken                [numRows]uint64
	unsettled            uint64
}

// New returns a system that has done nothing: its ports are down until a LinkChanged.
func New(cfg Config) (*System, error) {
	s := &System{}
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	s.adopt(cfg)
	return s, nil
}

// adopt takes a configuration over and keeps the ports that stay.
func (s *System) adopt(cfg Config) {
	cfg.Ports = slices.Clone(cfg.Ports)
	slices.SortFunc(cfg.Ports, func(a, b Port) int { return int(a.Number) - int(b.Number) })
	old := s.ports
	s.cfg, s.ports = cfg, make([]*port, 0, len(cfg.Ports))
	for _, c := range cfg.Ports {
		p := find(old, c.Number)
		if p == nil {
			p = &port{PortState: PortState{Begin: true}}
		}
		p.cfg = c
		s.ports = append(s.ports, p)
	}
	s.dirty = true
}

func find(ports []*port, number uint16) *port {
	for _, p := range ports {
		if p.cfg.Number == number {
			return p
		}
	}
	return nil
}

// Step takes one input. A time before the last one counts as the last one. Inputs that
// name no port of the system do nothing.
func (s *System) Step(in Input) Output {
	s.now = max(s.now, in.At)
	s.out = Output{Send: s.out.Send[:0], Moves: s.out.Moves[:0]}
	p := find(s.ports, in.Port)
	switch {
	case in.Kind == Tick:
		s.ticking = true
		s.tick()
	case in.Kind == Configure && in.Conf != nil:
		s.configure(*in.Conf)
	case p == nil:
	case in.Kind == LinkChanged:
		s.linkChanged(p, in.Link)
	case in.Kind == Received:
		s.received(p, in.Frame)
	case in.Kind == SendFailed:
		s.sendFailed(p)
	case in.Kind == Drain:
		p.Removal, s.dirty = true, true
	case in.Kind == Undrain:
		s.undrain(p)
	case in.Kind == Yielded:
		s.yielded(p)
	}
	if s.dirty {
		s.settle()
	} else if p != nil {
		s.transmit(p)
	}
	s.ticking = false
	return s.out
}

// tick lets timers run. Where only LACPDUs are due, selection is spared.
func (s *System) tick() {
	if at := s.machineDeadline(); s.dirty || at != agg.Never && at <= s.now {
		s.dirty = true
		return
	}
	for _, p := range s.ports {
		s.periodic(p)
		s.transmit(p)
	}
}

// settle runs receive, selection and mux until nothing changes, and then what follows
// from them, once.
func (s *System) settle() {
	s.settled = s.now
	for rounds := 0; s.dirty; rounds++ {
		if rounds > 16+8*len(s.ports) {
			s.unsettled++ // every state in every port has had its turn: a fault of this package
			s.dirty = false
			break
		}
		s.dirty = false
		for _, p := range s.ports {
			s.receive(p)
		}
		for _, p := range s.ports {
			s.drain(p)
		}
		s.fallBack()
		s.selection()
		for _, p := range s.ports {
			s.mux(p)
		}
	}
	for _, p := range s.ports {
		s.periodic(p)
		s.actorChurn(p)
		s.partnerChurn(p)
	}
	s.outcome()
	for _, p := range s.ports {
		s.transmit(p)
		s.requestMarker(p)
	}
	s.dirty = false
}

// outcome notices what the plan depends on.
func (s *System) outcome() {
	open, links := 0, 0
	for _, p := range s.ports {
		receives, sends := s.mayReceive(p), s.maySend(p)
		if yields := p.YieldBy != agg.Never && sends; yields != p.yields {
			p.yields, s.out.Replan = yields, true
		}
		if receives != p.receives || sends != p.sends {
			s.out.Replan = true
		}
		p.receives, p.sends = receives, sends
		if sends {
			open++
		}
		if p.speaks() && (s.active == 0 || p.Aggregator == s.active) {
			links++
		}
	}
	if !s.cfg.Strict {
		open = max(open, links)
	}
	if carrier := open >= max(1, s.cfg.MinLinks); carrier != s.carrier {
		s.carrier, s.out.Replan = carrier, true
	}
}

// maySend: frames of the aggregate leave by the port.
func (s *System) maySend(p *port) bool {
	return p.Fallback || p.Actor.State.Has(slow.Distributing) && p.Aggregator == s.active
}

// mayReceive: the receiver is open from ATTACHED on, before the partner hears that we
// are in sync, and until a partner that is left has stopped.
func (s *System) mayReceive(p *port) bool {
	return p.Fallback || p.carries() || p.Mux == MuxAttached && p.Rx == RxCurrent || p.Drain == DrainLeave
}

// move notes a transition.
func (s *System) move(p *port, r Row, from, to string) {
	s.count(r)
	s.dirty = true
	s.out.Moves = append(s.out.Moves, Move{At: s.now, Port: p.cfg.Number, Row: r, From: from, To: to})
}

// count notes a row that changes no state of a machine.
func (s *System) count(r Row) { s.taken[r]++ }

// ranOut reports a timer that has run out. Timers run at a Tick only, so that frames
// that came in time are read first.
func (s *System) ranOut(t agg.Instant) bool { return s.ticking && t != agg.Never && s.now >= t }

// passed reports a time that has come, also without a Tick.
func (s *System) passed(t agg.Instant) bool { return t == agg.Never || s.now >= t }

// Taken returns how often a row was taken.
func (s *System) Taken(r Row) uint64 {
	if int(r) >= len(s.taken) {
		return 0
	}
	return s.taken[r]
}

// Carrier reports whether the aggregate has carrier.
func (s *System) Carrier() bool { return s.carrier }

// Active returns the number of the aggregator that carries, 0 for none.
func (s *System) Active() uint16 { return s.active }

// Now returns the time of the last input.
func (s *System) Now() agg.Instant { return s.now }

// Unsettled counts steps whose machines found no fixed point. It is 0, or this package
// has a fault.
func (s *System) Unsettled() uint64 { return s.unsettled }
