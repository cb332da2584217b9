package announce

import (
	"time"

	"github.com/yokelag/yoke/agg"
)

// Series says how often something is told and how far apart.
type Series struct {
	Count    int
	Interval time.Duration
}

// Config is what follows a failover: announcements, and reports of multicast groups.
type Config struct{ Notify, Rejoin Series }

// Burst is what is left of a series. The zero Burst is over.
type Burst struct {
	Left int         `json:"left"`
	Due  agg.Instant `json:"due"`
}

// State is what is left to tell. It is saved with the aggregate: a daemon that takes over
// tells the rest.
type State struct {
	Notify Burst `json:"notify,omitzero"`
	Rejoin Burst `json:"rejoin,omitzero"`
}

// Begin starts both series after a failover; what an earlier one left is dropped, as what
// is told from now on tells that too. The first of each is due at once.
func Begin(c Config, now agg.Instant) State {
	return State{Notify: begin(c.Notify, now), Rejoin: begin(c.Rejoin, now)}
}

func begin(s Series, now agg.Instant) Burst {
	if s.Count <= 0 {
		return Burst{}
	}
	return Burst{Left: s.Count, Due: now}
}

// Due is what to tell now.
type Due struct{ Notify, Rejoin bool }

// Step returns what is due and what is left after that. What is late is told once: the
// time lost is not made up for.
func (s State) Step(c Config, now agg.Instant) (due Due, next State) {
	due.Notify, next.Notify = s.Notify.step(c.Notify.Interval, now)
	due.Rejoin, next.Rejoin = s.Rejoin.step(c.Rejoin.Interval, now)
	return due, next
}

func (b Burst) step(interval time.Duration, now agg.Instant) (bool, Burst) {
	switch {
	case b.Left <= 0 || now.Before(b.Due):
		return false, b
	case b.Left == 1:
		return true, Burst{}
	default:
		return true, Burst{Left: b.Left - 1, Due: now.Add(interval)}
	}
}

// Deadline is when something is due next, agg.Never where nothing is left.
func (s State) Deadline() agg.Instant { return agg.Earliest(s.Notify.deadline(), s.Rejoin.deadline()) }

func (b Burst) deadline() agg.Instant {
	if b.Left <= 0 {
		return agg.Never
	}
	return b.Due
}
