package teamtest

import (
	"sync"

	"github.com/yokelag/yoke/team"
)

// stream is one subscription. It keeps every change until it is read or lost.
type stream struct {
	driver  *Driver
	mu      sync.Mutex
	changed *sync.Cond
	waiting []team.Change
	lost    bool
	closed  bool
}

// Subscribe implements [team.Driver].
func (d *Driver) Subscribe() (team.Subscription, error) {
	s := &stream{driver: d}
	s.changed = sync.NewCond(&s.mu)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.streams[s] = struct{}{}
	return s, nil
}

// tell sends a change to every subscription. The caller holds mu.
func (d *Driver) tell(c team.Change) {
	for s := range d.streams {
		s.mu.Lock()
		s.waiting = append(s.waiting, c)
		s.changed.Signal()
		s.mu.Unlock()
	}
}

func (s *stream) lose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting, s.lost = nil, true
	s.changed.Signal()
}

// Next implements [team.Subscription].
func (s *stream) Next() (team.Change, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed && !s.lost && len(s.waiting) == 0 {
		s.changed.Wait()
	}
	switch {
	case s.closed:
		return team.Change{}, team.ErrClosed
	case s.lost:
		s.lost = false
		return team.Change{}, team.ErrLost
	}
	c := s.waiting[0]
	s.waiting = s.waiting[1:]
	return c, nil
}

// Close implements [team.Subscription].
func (s *stream) Close() error {
	s.driver.mu.Lock()
	delete(s.driver.streams, s)
	s.driver.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.changed.Signal()
	return nil
}
