package rtnl

import (
	"maps"
	"time"

	"github.com/yokelag/yoke/internal/ethtool"
)

// speedPeriod is how often speeds of subscribed interfaces are read again: drivers tell
// nobody when autonegotiation ends, or when somebody sets another speed. Of many
// interfaces each is read less often.
const (
	speedPeriod = time.Second
	speedShare  = 10 * time.Millisecond
)

// readSpeeds keeps the copy of speeds fresh, apart from the poll, because a driver may
// take milliseconds to answer.
func (l *Listener) readSpeeds() {
	tick := time.NewTicker(speedPeriod)
	defer tick.Stop()
	for {
		all := false
		select {
		case <-l.done:
			return
		case <-l.stale:
		case <-tick.C:
			all = true
		}
		names, told := l.unclean(all)
		if all {
			tick.Reset(max(speedPeriod, speedShare*time.Duration(len(names))))
		}
		for _, name := range names {
			if _, soiled := told[name]; !soiled && l.sameSpeed(name) {
				continue
			}
			if s, present, err := l.query.link(name); err == nil && present {
				l.refresh(s)
			}
		}
	}
}

// unclean returns the subscribed interfaces whose speed is to be read, or all, and takes
// them as read; told are those of which something was told.
func (l *Listener) unclean(all bool) (names []string, told map[string]struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	told, l.dirty = l.dirty, map[string]struct{}{}
	from := maps.Keys(l.byName)
	if !all {
		from = maps.Keys(told)
	}
	for n := range from {
		if len(l.byName[n]) > 0 {
			names = append(names, n)
		}
	}
	return names, told
}

// sameSpeed reports whether the driver says what it said last. Of an interface of which the
// kernel has told nothing, that is all there is to know, and a fifth of the work: what the
// kernel has of it matters only where the speed is another.
func (l *Listener) sameSpeed(name string) bool {
	l.mu.Lock()
	before, had := l.speeds[l.places[name].index]
	l.mu.Unlock()
	return had && l.askSpeed(name) == before
}

// refresh reads one interface's speed, keeps the old one while there is no carrier, and
// wakes its subscribers where it changed.
func (l *Listener) refresh(s linkState) {
	l.mu.Lock()
	before, had := l.speeds[s.index]
	l.mu.Unlock()
	if had && before.Speed != 0 && !s.carrier() {
		return
	}
	now := l.askSpeed(s.name)
	if had && now == before {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.speeds[s.index] = now
	if had {
		l.wake(s.name)
	}
}

// askSpeed asks the driver. One that does not answer has no known speed.
func (l *Listener) askSpeed(name string) ethtool.Settings {
	s, err := l.driver.Settings(name)
	if err != nil {
		return ethtool.Settings{}
	}
	return s
}
