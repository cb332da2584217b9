package lacptest

import (
	"fmt"

	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/wire/slow"
)

// Invariants reports what must never be, of a system between two steps.
func Invariants(s *lacp.System) error {
	if n := s.Unsettled(); n != 0 {
		return fmt.Errorf("%d steps found no fixed point", n)
	}
	if d := s.Deadline(); d != 0 && d < s.Now() {
		return fmt.Errorf("a deadline lies %v in the past", s.Now().Sub(d))
	}
	lags := map[uint16]lacp.PortView{}
	for _, number := range s.Ports() {
		p, _ := s.Port(number)
		if err := portInvariants(p); err != nil {
			return fmt.Errorf("port %d: %w", number, err)
		}
		if p.Selected == "UNSELECTED" {
			continue
		}
		q, shared := lags[p.Aggregator]
		lags[p.Aggregator] = p
		if shared && (q.Partner.System != p.Partner.System || q.Partner.Key != p.Partner.Key || q.Actor.Key != p.Actor.Key) {
			return fmt.Errorf("ports %d and %d are in aggregator %d with different LAG IDs", q.Number, p.Number, p.Aggregator)
		}
	}
	return nil
}

func portInvariants(p lacp.PortView) error {
	a := p.Actor.State
	dist, coll, sync := a.Has(slow.Distributing), a.Has(slow.Collecting), a.Has(slow.Synchronization)
	switch {
	case dist && !coll, coll && !sync, sync && p.Selected != "SELECTED":
		return fmt.Errorf("%s while %s", p.Actor.Words, p.Selected)
	case dist && !p.Partner.State.Has(slow.Synchronization):
		return fmt.Errorf("distributing to a partner that is not in sync")
	case p.Sends && !p.Active && !p.Fallback:
		return fmt.Errorf("sends outside the active aggregator")
	case p.Sends && !p.Receives:
		return fmt.Errorf("sends and does not receive")
	case p.Selected == "STANDBY" && sync:
		return fmt.Errorf("in sync in standby")
	}
	return nil
}
