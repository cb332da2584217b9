package engine

import (
	"context"
	"slices"
	"sync"

	"github.com/yokelag/yoke/agg"
)

// ringSize bounds the events that are kept: enough to explain a bad minute, small
// enough for 500 aggregates in one daemon.
const ringSize = 128

// ring holds the newest events. It is the one part of an engine that other goroutines
// read directly, so it has a lock.
type ring struct {
	mu     sync.Mutex
	seq    uint64
	events []agg.Event
	grown  chan struct{} // closed, and replaced, when an event is added
}

func newRing(seq uint64, events []agg.Event) *ring {
	keep := max(0, len(events)-ringSize)
	return &ring{seq: seq, events: slices.Clone(events[keep:]), grown: make(chan struct{})}
}

func (r *ring) add(e agg.Event) agg.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seq++
	e.Seq = r.seq
	if len(r.events) == ringSize {
		r.events = append(r.events[:0], r.events[1:]...)
	}
	r.events = append(r.events, e)
	close(r.grown)
	r.grown = make(chan struct{})
	return e
}

// since returns the kept events after seq and how many more there were.
func (r *ring) since(seq uint64) (events []agg.Event, lost uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, _ := slices.BinarySearchFunc(r.events, seq+1, func(e agg.Event, s uint64) int {
		return int(min(1, max(-1, int64(e.Seq-s))))
	})
	events = slices.Clone(r.events[i:])
	if r.seq > seq {
		lost = r.seq - seq - uint64(len(events))
	}
	return events, lost
}

// wait returns when there is an event after seq.
func (r *ring) wait(ctx context.Context, seq uint64) error {
	for {
		r.mu.Lock()
		grown, have := r.grown, r.seq > seq
		r.mu.Unlock()
		if have {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *ring) snapshot() (seq uint64, events []agg.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seq, slices.Clone(r.events)
}
