package lacp

import "github.com/yokelag/yoke/agg"

// fallBack opens one port while no partner speaks, for machines that boot over the
// aggregate before anything speaks LACP. It is always one port: two that are not
// aggregated at the other end would make a loop.
func (s *System) fallBack() {
	open := s.fallbackPort()
	heard, waits, able := s.hearing()
	if !heard && !waits && able {
		if s.silent == agg.Never {
			s.silent, s.fallbackEnds = s.now, agg.Never
		}
	} else if heard || !able {
		s.silent = agg.Never
	}
	switch {
	case open != nil && (s.cfg.Fallback == FallbackNone || s.cfg.Fallback == "" || !open.speaks() || s.before(open.LoopUntil) || s.replaced()):
		s.setFallback(open, false)
	case open == nil && s.fallbackDue():
		if p := s.bestSilent(); p != nil {
			s.setFallback(p, true)
		}
	}
	for _, p := range s.ports {
		if p.Fallback || s.cfg.Fallback == FallbackIndividual {
			s.refresh(p)
		}
	}
}

// hearing reports whether a partner is known on any port, whether one may still be
// heard, and whether any port could hear one.
func (s *System) hearing() (heard, waits, able bool) {
	for _, p := range s.ports {
		if !p.speaks() {
			continue
		}
		able = true
		heard = heard || p.known()
		waits = waits || p.Rx == RxExpired
	}
	return heard, waits, able
}

func (s *System) fallbackPort() *port {
	for _, p := range s.ports {
		if p.Fallback {
			return p
		}
	}
	return nil
}

// fallbackDue: all have been silent for long enough.
func (s *System) fallbackDue() bool {
	if s.cfg.Fallback == "" || s.cfg.Fallback == FallbackNone || s.silent == agg.Never {
		return false
	}
	return s.passed(s.silent.Add(s.cfg.FallbackAfter))
}

// replaced: a partner speaks, and a port of its LAG carries or has had the time to.
func (s *System) replaced() bool {
	if s.silent != agg.Never {
		return false
	}
	if s.fallbackEnds == agg.Never {
		s.fallbackEnds = s.now.Add(fallbackCap)
	}
	for _, p := range s.ports {
		if p.carries() {
			return true
		}
	}
	return s.now >= s.fallbackEnds
}

// bestSilent is the port of the best port ID whose link is up.
func (s *System) bestSilent() *port {
	var best *port
	for _, p := range s.ports {
		if p.speaks() && !p.Removal && !s.before(p.LoopUntil) && (best == nil || p.Actor.PortID() < best.Actor.PortID()) {
			best = p
		}
	}
	return best
}

func (s *System) setFallback(p *port, on bool) {
	p.Fallback, s.dirty = on, true
	s.refresh(p)
}
