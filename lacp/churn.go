package lacp

import (
	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire/slow"
)

// actorChurn runs the Actor Churn Detection machine (clause 6.4.17, figure 6-23).
func (s *System) actorChurn(p *port) {
	rows := [5]Row{AC01, AC02, AC03, AC04, AC05}
	s.churn(p, &p.ActorChurn, &p.ActorAt, p.Actor.State.Has(slow.Synchronization), rows, &p.counters.ActorChurns)
}

// partnerChurn runs the Partner Churn Detection machine (clause 6.4.17, figure 6-24).
func (s *System) partnerChurn(p *port) {
	rows := [5]Row{PC01, PC02, PC03, PC04, PC05}
	s.churn(p, &p.PartnerChurn, &p.PartnerAt, p.inSync(), rows, &p.counters.PartnerChurns)
}

func (s *System) churn(p *port, state *ChurnState, timer *agg.Instant, sync bool, rows [5]Row, counter *uint64) {
	enter := func(r Row, to ChurnState) {
		s.move(p, r, state.String(), to.String())
		*state, *timer = to, agg.Never
		if to == ChurnMonitor {
			*timer = s.now.Add(ChurnDetectionTime)
		}
	}
	if !p.Link.Up {
		if *state != ChurnMonitor {
			enter(rows[0], ChurnMonitor)
		}
		*timer = agg.Never
		return
	}
	if *state == ChurnMonitor && *timer == agg.Never {
		*timer = s.now.Add(ChurnDetectionTime)
	}
	switch {
	case *state == ChurnMonitor && sync:
		enter(rows[1], NoChurn)
	case *state == ChurnMonitor && s.ranOut(*timer):
		enter(rows[2], Churn)
		*counter++
	case *state == NoChurn && !sync:
		enter(rows[3], ChurnMonitor)
	case *state == Churn && sync:
		enter(rows[4], NoChurn)
	}
}
