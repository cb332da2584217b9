package lacp

import (
	"github.com/yokelag/yoke/agg"
)

// ready is the Ready variable of an aggregator (clause 6.4.8): every port that waits for
// it has waited long enough.
func (s *System) ready(aggregator uint16) bool {
	return s.cfg.Wait != WaitStrict && s.complete(aggregator) || s.now >= s.readyAt(aggregator)
}

// readyAt is when wait_while has run out for every port that waits for the aggregator.
// The first port is not held for ever by others that keep coming.
func (s *System) readyAt(aggregator uint16) agg.Instant {
	hold, limit := holdTime, holdCap
	if s.cfg.Wait == WaitStrict {
		hold, limit = AggregateWaitTime, 2*AggregateWaitTime
	}
	first, last := agg.Never, agg.Never
	for _, p := range s.ports {
		if p.Aggregator != aggregator || p.Mux != MuxWaiting || p.Selected != SelectedPort {
			continue
		}
		first, last = agg.Earliest(first, p.WaitSince), max(last, p.WaitSince)
	}
	return min(last.Add(hold), first.Add(limit))
}

// complete reports that waiting for more ports is useless: the LAG already carries, or
// every port that may still come is there.
func (s *System) complete(aggregator uint16) bool {
	coming := false
	for _, p := range s.ports {
		if p.Aggregator == aggregator && p.attached() {
			return true
		}
		if p.speaks() && p.Rx == RxExpired && !p.known() {
			coming = true
		}
	}
	return !coming
}

// holding reports that the port waits for so short a time that a reply can wait for
// its end, and become one LACPDU with it.
func (s *System) holding(p *port) bool {
	return s.cfg.Wait != WaitStrict && p.Mux == MuxWaiting && p.Selected == SelectedPort
}
