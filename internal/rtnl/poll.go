package rtnl

import "time"

// pollAll polls the interfaces of every subscription that wants it, until Close. It
// sleeps while none does.
func (l *Listener) pollAll() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var c cost
	for {
		start := time.Now()
		due := l.dueAt(start, c)
		polled := 0
		for _, s := range due {
			polled += l.pollOne(s)
		}
		now := time.Now()
		c = c.learn(now.Sub(start), polled)
		if next, any := l.plan(due, now, c); any {
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

// together is how many subscriptions are polled at most before others, which may want it
// more often, are looked at again: a few hundred interfaces take a millisecond.
const together = 64

// dueAt returns the subscriptions to poll now. Where one that adapts is due, those that
// will be soon come along: to wake up for each costs more than to poll it. c is what an
// interface costs.
func (l *Listener) dueAt(now time.Time, c cost) (due []*subscription) {
	l.mu.Lock()
	defer l.mu.Unlock()
	soon := now.Add(period(0, c.of(l.adapting), now.Sub(l.lastEvent)) / 4)
	var along []*subscription
	adapts := false
	for s := range l.subs {
		switch {
		case s.poll == 0:
		case !s.due.After(now):
			due = append(due, s)
			adapts = adapts || s.adapt
		case s.adapt && !s.due.After(soon):
			along = append(along, s)
		}
	}
	if adapts {
		due = append(due, along...)
	}
	return due[:min(len(due), together)]
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
// link event pulls in those that adapt. c is what an interface costs.
func (l *Listener) plan(polled []*subscription, now time.Time, c cost) (next time.Time, any bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all, calm := c.of(l.adapting), now.Sub(l.lastEvent)
	for _, s := range polled {
		s.due = now.Add(s.wait(all, calm))
	}
	for s := range l.subs {
		if s.poll == 0 {
			continue
		}
		if latest := now.Add(s.wait(all, calm)); s.adapt && s.due.After(latest) {
			s.due = latest
		}
		if !any || s.due.Before(next) {
			next, any = s.due, true
		}
	}
	return next, any
}

// wait is how long after a poll the next is due. all is what one poll of all that adapt
// costs; calm is the time since the last link event.
func (s *subscription) wait(all, calm time.Duration) time.Duration {
	if s.adapt {
		return period(s.poll, all, calm)
	}
	return s.poll
}
