package lacp

import (
	"github.com/yokelag/yoke/agg"
)

// Deadline returns when the next Tick is due, agg.Never where no timer runs. It is
// exact: a Tick before it changes nothing.
func (s *System) Deadline() agg.Instant {
	at := s.machineDeadline()
	for _, p := range s.ports {
		at = agg.Earliest(at, p.PeriodicAt)
		switch {
		case p.NTT:
			at = s.upcoming(at, p.sendAt())
		case p.Reply && !s.holding(p):
			at = s.upcoming(at, max(p.sendAt(), p.replyAt()))
		}
	}
	return at
}

// machineDeadline is that of all machines but Periodic and Transmit.
func (s *System) machineDeadline() agg.Instant {
	at := agg.Never
	if s.silent != agg.Never && s.fallbackPort() == nil && s.cfg.Fallback != FallbackNone && s.cfg.Fallback != "" {
		at = s.upcoming(at, s.silent.Add(s.cfg.FallbackAfter))
	}
	if s.fallbackPort() != nil {
		at = s.upcoming(at, s.fallbackEnds)
	}
	for _, p := range s.ports {
		at = s.portDeadline(at, p)
	}
	return at
}

func (s *System) portDeadline(at agg.Instant, p *port) agg.Instant {
	at = agg.Earliest(at, p.CurrentWhile)
	at = agg.Earliest(at, p.RetryAt)
	if p.ActorChurn == ChurnMonitor {
		at = agg.Earliest(at, p.ActorAt)
	}
	if p.PartnerChurn == ChurnMonitor {
		at = agg.Earliest(at, p.PartnerAt)
	}
	at = s.upcoming(at, p.LoopUntil)
	at = s.upcoming(at, p.DampUntil)
	at = s.upcoming(at, p.RestoredAt)
	if p.Mux == MuxWaiting && p.Selected == SelectedPort {
		at = s.upcoming(at, s.readyAt(p.Aggregator))
	}
	if s.cfg.MaxLinks > 0 && p.Selected == SelectedPort && !p.inSync() {
		at = s.upcoming(at, p.SyncBy)
	}
	if p.Selected != Unselected && p.Aggregator != s.active {
		at = s.upcoming(at, s.challengeAt(p.Aggregator))
	}
	if !p.Yielded {
		at = s.upcoming(at, p.YieldBy)
	}
	switch p.Drain {
	case DrainFlush:
		at = s.upcoming(at, p.FlushedAt)
	case DrainLeave:
		at = s.upcoming(at, p.LeaveAt)
		at = s.upcoming(at, p.QuietAt)
	case DrainNone, DrainDone: // nothing runs
	}
	return at
}

// upcoming takes t in, unless the machines have run since.
func (s *System) upcoming(at, t agg.Instant) agg.Instant {
	if t <= s.settled {
		return at
	}
	return agg.Earliest(at, t)
}
