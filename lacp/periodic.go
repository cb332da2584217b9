package lacp

import (
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire/slow"
)

// periodic runs the Periodic Transmission machine (clause 6.4.13, figure 6-19).
func (s *System) periodic(p *port) {
	if !p.speaks() || !p.Actor.State.Has(slow.Activity) && !p.Partner.State.Has(slow.Activity) {
		if p.Periodic != NoPeriodic {
			s.enterPeriodic(p, PT01, NoPeriodic)
		}
		p.PeriodicAt = agg.Never
		return
	}
	short := s.wantsShort(p)
	switch {
	case p.Periodic == NoPeriodic:
		s.enterPeriodic(p, PT02, FastPeriodic)
		if !short {
			s.enterPeriodic(p, PT04, SlowPeriodic)
		}
	case p.Periodic == FastPeriodic && s.ranOut(p.PeriodicAt):
		s.enterPeriodic(p, PT03, PeriodicTx)
	case p.Periodic == FastPeriodic && !short:
		s.enterPeriodic(p, PT04, SlowPeriodic)
	case p.Periodic == SlowPeriodic && s.ranOut(p.PeriodicAt):
		s.enterPeriodic(p, PT05, PeriodicTx)
	case p.Periodic == SlowPeriodic && short:
		s.enterPeriodic(p, PT06, PeriodicTx)
	}
	if p.Periodic != PeriodicTx {
		return
	}
	if short {
		s.enterPeriodic(p, PT07, FastPeriodic)
	} else {
		s.enterPeriodic(p, PT08, SlowPeriodic)
	}
}

// wantsShort is what the partner asked for. For a while, a partner that is not in sync,
// or that has not heard that we collect, is spoken to every second, so that a lost LACPDU
// costs a second and not thirty: update_NTT does not compare Collecting, and nothing else
// would repeat it.
func (s *System) wantsShort(p *port) bool {
	if p.Partner.State.Has(slow.Timeout) {
		return true
	}
	stale := (p.View.State^p.Actor.State)&slow.Collecting != 0
	return (!p.inSync() || stale) && s.before(p.HurryUntil)
}

func (s *System) enterPeriodic(p *port, r Row, to PeriodicState) {
	s.count(r)
	if p.Periodic != PeriodicTx && to != PeriodicTx { // the ticking itself is no news
		s.out.Moves = append(s.out.Moves, Move{At: s.now, Port: p.cfg.Number, Row: r, From: p.Periodic.String(), To: to.String()})
	}
	p.Periodic = to
	switch to {
	case NoPeriodic:
		p.PeriodicAt = agg.Never
	case FastPeriodic:
		p.PeriodicAt = s.now.Add(FastPeriodicTime)
	case SlowPeriodic:
		p.PeriodicAt = s.now.Add(SlowPeriodicTime)
	case PeriodicTx:
		p.NTT = true
	}
}

// partnerTimeout is how long the partner lives by our last LACPDU.
func (p *port) partnerTimeout() time.Duration {
	if p.Partner.State.Has(slow.Timeout) {
		return ShortTimeoutTime
	}
	return LongTimeoutTime
}
