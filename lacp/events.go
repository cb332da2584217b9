package lacp

import (
	"hash/fnv"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire/slow"
)

// configure takes another configuration. A port that is gone says so to its partner.
func (s *System) configure(cfg Config) {
	if cfg.Check() != nil {
		return
	}
	old := s.ports
	admin := cfg.PartnerAdmin != s.cfg.PartnerAdmin
	renamed := cfg.System != s.cfg.System || cfg.SystemPriority != s.cfg.SystemPriority
	s.adopt(cfg)
	for _, p := range old {
		if find(s.ports, p.cfg.Number) == nil {
			s.farewell(p)
		}
	}
	for _, p := range s.ports {
		if renamed && p.Selected != Unselected {
			s.unselect(p, KY03)
		}
		if admin && p.Rx == RxDefaulted {
			s.enterRx(p, RX11, RxDefaulted)
		}
		s.refresh(p)
	}
	s.out.Replan = true
}

// farewell is the last LACPDU of a port that is removed.
func (s *System) farewell(p *port) {
	if !p.speaks() || p.Periodic == NoPeriodic {
		return
	}
	p.setActor(slow.Synchronization|slow.Collecting|slow.Distributing|slow.Aggregation, false)
	s.send(p)
}

// linkChanged takes the facts of a link.
func (s *System) linkChanged(p *port, l Link) {
	if p.Link == l && !p.Begin {
		return
	}
	if p.Link.Up && !l.Up {
		p.Lost = true
		p.LoopUntil, p.DampUntil = agg.Never, agg.Never // it may come back on another cable
	}
	if !p.Link.Up && l.Up {
		p.RestoredAt = agg.Never
		if p.Lost {
			p.RestoredAt = s.now.Add(s.cfg.WaitToRestore)
		}
		p.RetryAt = s.now.Add(retryAfter + s.spread(p))
		p.Heard = agg.Never
		s.newWindow(p)
	}
	if l.half() && !p.Link.half() {
		s.count(KY02)
	}
	p.Link, s.dirty = l, true
	s.refresh(p)
}

// spread differs between the two ends of a link, and between ports.
func (s *System) spread(p *port) time.Duration {
	h := fnv.New32a()
	h.Write(s.cfg.System[:])
	h.Write([]byte{byte(p.cfg.Number >> 8), byte(p.cfg.Number)})
	return time.Duration(h.Sum32()%uint32(retrySpread/time.Millisecond)) * time.Millisecond
}

// refresh makes the actor's values from configuration and link. The key stays while the
// link is down: then nothing is known of its speed.
func (s *System) refresh(p *port) {
	a := p.Actor
	a.SystemPriority, a.System = s.cfg.SystemPriority, slow.Addr(s.cfg.System)
	a.Port, a.PortPriority = p.cfg.Number, p.cfg.Priority
	if p.Link.Up || a.Key == 0 {
		a.Key = s.cfg.keyOf(&p.cfg, p.Link)
	}
	alone := p.cfg.Individual || p.Fallback && s.cfg.Fallback == FallbackIndividual && s.silent != agg.Never
	a.State = a.State.With(slow.Activity, s.cfg.Active).With(slow.Timeout, s.cfg.Short || p.AskBack).With(slow.Aggregation, !alone)
	if a == p.Actor {
		return
	}
	regroup := a.Key != p.Actor.Key || (a.State^p.Actor.State)&slow.Aggregation != 0
	if a.PortPriority != p.Actor.PortPriority {
		s.count(KY04)
	}
	p.Actor, p.NTT, s.dirty = a, true, true
	if regroup && p.Selected != Unselected {
		s.unselect(p, KY01)
	}
}

// unselect sets Selected to UNSELECTED. The mux detaches before anything is selected
// anew.
func (s *System) unselect(p *port, why Row) {
	from := p.Selected
	p.Selected = Unselected
	p.YieldBy, p.Yielded = agg.Never, false
	s.move(p, why, from.String(), Unselected.String())
}

// received reads a frame.
func (s *System) received(p *port, frame []byte) {
	f, err := slow.Parse(frame, slow.Addr(s.cfg.Destination))
	if err != nil {
		p.counters.drop(counterOf(err))
		return
	}
	if !p.Link.Up {
		p.counters.RxDown++
		s.out.ReadLinks = true
		return
	}
	if f.Subtype == slow.SubtypeMarker {
		s.receivedMarker(p, f.Payload)
		return
	}
	s.receivedLACPDU(p, f.Payload)
}

func (s *System) receivedLACPDU(p *port, payload []byte) {
	pdu, err := slow.ParseLACPDU(payload)
	switch {
	case err != nil:
		p.counters.drop(counterOf(err))
		return
	case !p.enabled():
		p.counters.RxDisabled++
		return
	case !p.LACPDUs.take(s.now):
		p.counters.RxLimited++
		return
	}
	p.note(payload, &pdu)
	if pdu.Actor.System == slow.Addr(s.cfg.System) {
		s.looped(p)
		return
	}
	s.receivePDU(p, &pdu)
}

// note counts what is odd and yet accepted.
func (p *port) note(payload []byte, pdu *slow.LACPDU) {
	c := &p.counters
	c.RxLACPDU++
	c.RxVersion = pdu.Version
	if payload[2] != slow.TLVActor || payload[22] != slow.TLVPartner || payload[42] != slow.TLVCollector {
		c.RxOddType++
	}
	if pdu.Actor.Key == 0 || pdu.Actor.Port == 0 {
		c.RxZero++
	}
	if n, plain := slow.TerminatorLength(payload); plain && n != 0 || slow.TLVs(payload, nil) != nil {
		c.RxBadTLV++
	}
}

// looped: our own LACPDU came back, to its own port or to another (clause 6.4.14.1 f).
// It is no word of a partner: current_while runs on.
func (s *System) looped(p *port) {
	p.counters.RxLoop++
	if !s.before(p.LoopUntil) {
		s.dirty = true
	}
	p.LoopUntil = s.now.Add(s.ownTimeout())
}

// before reports a time that is set and has not come.
func (s *System) before(t agg.Instant) bool { return t != agg.Never && s.now < t }

// ownTimeout is how long a partner may be silent.
func (s *System) ownTimeout() time.Duration {
	if s.cfg.Short {
		return ShortTimeoutTime
	}
	return LongTimeoutTime
}

func counterOf(err error) slow.Counter {
	d, ok := dropOf(err)
	if !ok {
		return slow.CountIllegal
	}
	return slow.CounterOf(d)
}
