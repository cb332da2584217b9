package rtnl

import (
	"slices"
	"time"
)

// pollAll polls the interfaces of every subscription that wants it, until Close. It
// sleeps while none does.
func (l *Listener) pollAll() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var c cost
	for {
		start := time.Now()
		due, all := l.dueAt(start)
		polled := 0
		for _, s := range due {
			polled += l.pollOne(s)
		}
		now := time.Now()
		c = c.learn(now.Sub(start), polled)
		if next, any := l.plan(due, now, c.of(all)); any {
			timer.Reset(max(0, time.Until(next)))
		} else {
			timer.Stop()
		}
		select {
		case <-l.done:
			return
		case <-l.poke:
		case <-timer.C:
		}
	}
}

// dueAt returns the subscriptions to poll now, and how many interfaces are polled by
// all that adapt.
func (l *Listener) dueAt(now time.Time) (due []*subscription, all int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range l.subs {
		if s.poll == 0 {
			continue
		}
		if s.adapt {
			all += len(s.names)
		}
		if !s.due.After(now) {
			due = append(due, s)
		}
	}
	return due, all
}

// pollOne polls one subscription and returns how many interfaces it has.
func (l *Listener) pollOne(s *subscription) int {
	for name := range s.names {
		before, had := s.seen[name]
		state, present, err := l.query.again(name, before.index)
		if err != nil {
			signal(s.wake) // the reader meets the same error and says it
			continue
		}
		now := seen{}
		if present {
			now = seen{state.index, state.adminUp(), l.carrier(state, !s.useCarrier)}
		}
		if !had || before != now {
			s.seen[name] = now
			l.changed(s)
		}
		if present && state.rising() {
			l.hurry() // soon there is more to see
		}
	}
	return len(s.names)
}

// changed tells a subscriber, and makes the poll fast: the kernel may be holding the
// events back.
func (l *Listener) changed(s *subscription) {
	l.hurry()
	signal(s.wake)
}

// hurry makes the poll fast for a while.
func (l *Listener) hurry() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.noteEvent()
}

// plan sets when those just polled are due again, and returns the next time of all. A
// link event pulls in those that adapt.
func (l *Listener) plan(polled []*subscription, now time.Time, all time.Duration) (next time.Time, any bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	calm := now.Sub(l.lastEvent)
	for _, s := range polled {
		s.due = now.Add(s.poll)
	}
	for s := range l.subs {
		if s.poll == 0 {
			continue
		}
		if s.adapt {
			if latest := now.Add(period(s.poll, all, calm)); s.due.After(latest) || slices.Contains(polled, s) {
				s.due = latest
			}
		}
		if !any || s.due.Before(next) {
			next, any = s.due, true
		}
	}
	return next, any
}
