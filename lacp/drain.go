package lacp

import (
	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire/slow"
)

// DrainState is where the planned removal of a port from its aggregator stands. It
// stands in front of Selected, so that the mux stays as the standard has it.
type DrainState uint8

// The states.
const (
	DrainNone DrainState = iota
	// DrainFlush: nothing new is sent; a marker is on its way behind the data.
	DrainFlush
	// DrainLeave: the partner is told that we are out of sync; what it has sent before
	// it heard of it is still received.
	DrainLeave
	// DrainDone: a port that was drained for removal is out.
	DrainDone
)

// String names the state.
func (d DrainState) String() string { return name(d, "none", "flush", "leave", "done") }

// drain moves a drain on.
func (s *System) drain(p *port) {
	switch p.Drain {
	case DrainNone:
		if p.Removal {
			s.beginDrain(p, Unselected)
		}
	case DrainFlush:
		answered := p.Flushed || !p.Link.Up
		if !answered && !s.passed(p.FlushedAt) {
			return
		}
		if !answered {
			s.count(MK04)
		}
		s.leave(p)
	case DrainLeave:
		gone := p.Heard > p.LeftAt && !p.Partner.State.Has(slow.Collecting) && !p.Partner.State.Has(slow.Distributing)
		if gone && p.QuietAt == agg.Never {
			p.QuietAt = s.now.Add(leaveQuiet)
		}
		if !p.Link.Up || s.passed(p.LeaveAt) || p.QuietAt != agg.Never && s.passed(p.QuietAt) {
			s.endDrain(p)
		}
	case DrainDone:
	}
}

// beginDrain closes the sender of a port that carries; another leaves at once.
func (s *System) beginDrain(p *port, target Selected) {
	s.dirty = true
	p.DrainFor = target
	p.YieldBy, p.Yielded = agg.Never, false
	if !p.carries() {
		s.leave(p)
		s.endDrain(p)
		return
	}
	p.Drain, p.Flushed, p.MarkerDue = DrainFlush, false, true
	p.FlushedAt = s.now.Add(s.cfg.flushTime())
}

// leave gives synchronization up.
func (s *System) leave(p *port) {
	p.Drain, p.MarkerDue = DrainLeave, false
	p.LeftAt, p.LeaveAt, p.QuietAt = s.now, s.now.Add(leaveCap), agg.Never
	s.dirty = true
	if p.Selected == p.DrainFor || p.Selected == Unselected {
		return
	}
	if p.DrainFor == Unselected {
		s.unselect(p, SL08)
		return
	}
	s.choose(p, Standby, SL05)
}

func (s *System) endDrain(p *port) {
	p.Drain, s.dirty = DrainNone, true
	if p.Removal {
		p.Drain = DrainDone
	}
}

// yielding reports whether a port that gives its place away goes on sending meanwhile.
func (s *System) yielding(p *port) bool {
	if s.cfg.Yield == 0 || !p.Actor.State.Has(slow.Distributing) {
		return false
	}
	if p.YieldBy == agg.Never {
		p.YieldBy = s.now.Add(s.cfg.Yield)
	}
	return !p.Yielded && s.before(p.YieldBy)
}

// yielded: no traffic leaves by the port any more.
func (s *System) yielded(p *port) {
	if p.YieldBy != agg.Never {
		p.Yielded, s.dirty = true, true
	}
}

// undrain takes a port back that was drained, or was about to be.
func (s *System) undrain(p *port) {
	p.Removal, p.Drain, p.MarkerDue, s.dirty = false, DrainNone, false, true
}
