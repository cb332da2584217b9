package lacp

import (
	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire/slow"
)

// selection is the Selection Logic (clause 6.4.14). It is a function of what the ports
// have recorded, and runs over them in the order of their numbers.
func (s *System) selection() {
	for _, p := range s.ports {
		p.Block = s.blockOf(p)
		if p.Block != "" && p.Selected != Unselected && p.Drain != DrainFlush {
			s.unselect(p, SL01)
		}
	}
	for _, p := range s.ports {
		// A port changes its aggregator by way of DETACHED only (6.4.14.1 g).
		if p.Block == "" && p.Selected == Unselected && p.Mux == MuxDetached {
			s.join(p)
		}
	}
	s.elect()
	// Who may carry comes first, so that who may not knows whom to wait for.
	for _, may := range []bool{true, false} {
		for _, p := range s.ports {
			if p.Selected != Unselected && s.within(p) == may {
				s.limit(p)
			}
		}
	}
}

// blockOf is why the port may not be selected.
func (s *System) blockOf(p *port) Reason {
	switch {
	case !p.Link.Up:
		return ReasonPortDown
	case !p.enabled():
		return ReasonDisabled
	case p.Removal:
		return ReasonDrained
	case s.before(p.LoopUntil):
		return ReasonLoop
	case s.before(p.DampUntil):
		return ReasonDamped
	case !p.known():
		return ReasonSilent
	case s.duplicate(p) != nil:
		return ReasonDuplicate
	default:
		return ""
	}
}

// duplicate returns the port that has heard the same partner port for longer: two
// devices have one system ID, or number their ports alike.
func (s *System) duplicate(p *port) *port {
	if p.Rx != RxCurrent {
		return nil
	}
	for _, q := range s.ports {
		if q == p || q.Rx != RxCurrent || !q.Partner.SameIDs(p.Partner) {
			continue
		}
		if q.Recorded < p.Recorded || q.Recorded == p.Recorded && q.cfg.Number < p.cfg.Number {
			return q
		}
	}
	return nil
}

// alone reports an individual link: it shares its aggregator with no other (6.4.14.1 e).
func (p *port) alone() bool {
	return !p.Actor.State.Has(slow.Aggregation) || !p.Partner.State.Has(slow.Aggregation)
}

// sameLAG reports whether two ports have the same LAG ID (clause 6.3.6).
func sameLAG(p, q *port) bool {
	return !p.alone() && !q.alone() && p.Actor.Key == q.Actor.Key &&
		p.Partner.System == q.Partner.System && p.Partner.SystemPriority == q.Partner.SystemPriority && p.Partner.Key == q.Partner.Key
}

// join gives a port its aggregator: that of the ports with its LAG ID, or one of its
// own. It begins in STANDBY; limit decides.
func (s *System) join(p *port) {
	row := SL03
	p.Aggregator = 0
	for _, q := range s.ports {
		if q != p && q.Selected != Unselected && q.Aggregator != 0 && sameLAG(p, q) {
			p.Aggregator, row = q.Aggregator, SL02
			break
		}
	}
	if p.Aggregator == 0 {
		p.Aggregator = s.freeAggregator(p)
	}
	p.Joined, p.Selected = s.now, Standby
	s.move(p, row, Unselected.String(), Standby.String())
}

// freeAggregator is the port's own number, or the lowest that nobody uses. There are as
// many aggregators as ports, so that one is free.
func (s *System) freeAggregator(p *port) uint16 {
	if !s.used(p.cfg.Number) {
		return p.cfg.Number
	}
	for _, q := range s.ports {
		if !s.used(q.cfg.Number) {
			return q.cfg.Number
		}
	}
	return p.cfg.Number
}

func (s *System) used(aggregator uint16) bool {
	for _, q := range s.ports {
		if q.Aggregator == aggregator {
			return true
		}
	}
	return false
}

// limit decides between SELECTED and STANDBY (6.4.14.1 h and clause 6.7.1).
func (s *System) limit(p *port) {
	gives := p.Aggregator == s.active && p.Drain == DrainNone && p.carries() && p.Selected == SelectedPort && !s.within(p) && s.succeeded(p)
	if !gives {
		p.YieldBy, p.Yielded = agg.Never, false
	}
	switch {
	case p.Aggregator != s.active:
		s.choose(p, Standby, SL06)
	case p.Drain == DrainLeave && p.DrainFor == Standby:
		// It was told to go; it may come back when that is done.
	case s.within(p):
		if p.Drain == DrainFlush && !p.Removal {
			p.Drain, p.MarkerDue, s.dirty = DrainNone, false, true
		}
		s.choose(p, SelectedPort, SL04)
	case p.Selected == SelectedPort && p.attached() && !s.succeeded(p):
		// It stays until others send. Two ends that rank otherwise, and give a port up before
		// the other one works, would go round in circles.
	case p.Selected == SelectedPort && p.carries():
		if gives && !s.yielding(p) {
			s.beginDrain(p, Standby)
		}
	default:
		s.choose(p, Standby, SL05)
	}
}

// choose sets Selected.
func (s *System) choose(p *port, to Selected, r Row) {
	if p.Selected == to {
		return
	}
	from := p.Selected
	p.Selected = to
	if to == SelectedPort {
		p.SyncBy = s.now.Add(syncTime)
	}
	s.move(p, r, from.String(), to.String())
}

// within reports whether the port is one of those that may carry.
func (s *System) within(p *port) bool {
	ahead, carry := 0, 0
	for _, q := range s.ports {
		if q == p || q.Aggregator != s.active || q.Selected == Unselected || q.Removal {
			continue
		}
		if q.carries() && !s.restoring(q) {
			carry++
		}
		if s.ahead(q, p) && !s.refused(q) {
			ahead++
		}
	}
	if s.restoring(p) && carry > 0 {
		return false
	}
	return s.cfg.MaxLinks == 0 || ahead < s.cfg.MaxLinks
}

// refused reports a port whose partner speaks, and has not come into sync in its time, or
// has left it: it takes no place from others, and keeps its own for when it does.
func (s *System) refused(p *port) bool {
	return p.Selected == SelectedPort && p.Rx == RxCurrent && !p.inSync() && !s.before(p.SyncBy)
}

// ahead reports whether q takes a place before p: a partner that is heard, then one that
// is not waiting to be restored, then, where nothing reverts, a port that carries or is
// about to, then the better port ID of the better system.
func (s *System) ahead(q, p *port) bool {
	if a, b := q.Rx == RxCurrent, p.Rx == RxCurrent; a != b {
		return a
	}
	if a, b := s.restoring(q), s.restoring(p); a != b {
		return b
	}
	if a, b := q.carries(), p.carries(); s.cfg.NonRevertive && a != b {
		return a
	}
	if a, b := q.attached(), p.attached(); s.cfg.NonRevertive && a != b {
		return a
	}
	a, b := q.decidingID(), p.decidingID()
	return a < b || a == b && q.cfg.Number < p.cfg.Number
}

// decidingID is the port ID by which the better system ranks.
func (p *port) decidingID() uint32 {
	if p.Partner.SystemID() < p.Actor.SystemID() {
		return p.Partner.PortID()
	}
	return p.Actor.PortID()
}

// restoring reports a port whose link came back a short time ago (wait-to-restore).
func (s *System) restoring(p *port) bool { return s.before(p.RestoredAt) }

// succeeded reports that as many better ports send as may carry: until then, a port that
// others replace goes on.
func (s *System) succeeded(p *port) bool {
	senders := 0
	for _, q := range s.ports {
		if q != p && q.Aggregator == s.active && q.Selected == SelectedPort && q.Actor.State.Has(slow.Distributing) && s.ahead(q, p) {
			senders++
		}
	}
	if s.restoring(p) {
		return senders > 0
	}
	return senders >= s.cfg.MaxLinks
}

// elect chooses the active aggregator.
func (s *System) elect() {
	best := s.active
	if s.members(best) == 0 {
		best = 0
	}
	current := best
	for _, p := range s.ports {
		if id := p.Aggregator; p.Selected != Unselected && id != best && (best == 0 || s.beats(id, best)) {
			best = id
		}
	}
	if current != 0 && best != current && s.keeps(current, best) {
		best = current
	}
	if best != s.active {
		s.active = best
		if best != 0 {
			s.count(SL07)
		}
		s.dirty, s.out.Replan = true, true
	}
}

func (s *System) members(aggregator uint16) (n int) {
	for _, p := range s.ports {
		if aggregator != 0 && p.Aggregator == aggregator && p.Selected != Unselected {
			n++
		}
	}
	return n
}

// keeps reports whether the active aggregator stays although another is better.
func (s *System) keeps(current, rival uint16) bool {
	carries, sticky := false, false
	for _, p := range s.ports {
		if p.Aggregator == current && p.Selected != Unselected && p.Rx == RxCurrent {
			carries = carries || p.carries()
			sticky = sticky || p.cfg.Sticky
		}
	}
	if !carries {
		return false
	}
	switch s.cfg.Policy {
	case Stable, LACPPrioStable, "":
		return true
	case PortConfig:
		if sticky {
			return true
		}
	case Bandwidth, Count, ActorPortPrio, LACPPrio: // whoever is better takes over
	}
	return s.before(s.challengeAt(rival))
}

// challengeAt is when an aggregator is old enough to replace one that carries. A
// partner that restarts may speak under another name for a moment.
func (s *System) challengeAt(aggregator uint16) agg.Instant {
	first := agg.Never
	for _, p := range s.ports {
		if p.Aggregator == aggregator && p.Selected != Unselected {
			first = agg.Earliest(first, p.Joined)
		}
	}
	return first.Add(challengeTime)
}
