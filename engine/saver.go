package engine

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// saver writes the newest state in the background, so that a slow disk delays no
// failover. States that come while one is written replace each other; the last one
// put before stop is always written.
type saver struct {
	store Store
	wake  chan struct{}
	done  chan struct{}

	mu      sync.Mutex
	pending *Saved
	err     error
	// next is closed when the state put last was tried, writing when the one that is written is.
	next, writing chan struct{}
}

func newSaver(store Store) *saver {
	return &saver{store: store, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// put asks for s to be saved. s must not be changed afterwards.
func (v *saver) put(s Saved) {
	v.mu.Lock()
	v.pending = &s
	if v.next == nil {
		v.next = make(chan struct{})
	}
	v.mu.Unlock()
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// settle returns when what was put before it is on the disk, or could not be written once, or
// with the error of ctx.
func (v *saver) settle(ctx context.Context) error {
	v.mu.Lock()
	tried := v.next
	if tried == nil {
		tried = v.writing
	}
	v.mu.Unlock()
	if tried == nil {
		return nil
	}
	select {
	case <-tried:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop makes run return after it has tried to write what is pending.
func (v *saver) stop() { close(v.done) }

func (v *saver) lastError() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.err
}

func (v *saver) run() {
	for {
		var again <-chan time.Time
		if v.write() != nil {
			again = time.After(saveRetry)
		}
		select {
		case <-v.wake:
		case <-again:
		case <-v.done:
			_ = v.write() // the last attempt; the next daemon reads what is there
			return
		}
	}
}

// write saves what is pending and keeps it for another attempt where that fails.
func (v *saver) write() error {
	v.mu.Lock()
	s := v.pending
	v.pending = nil
	if s != nil {
		v.writing, v.next = v.next, nil
	}
	v.mu.Unlock()
	if s == nil {
		return nil
	}
	err := v.store.Save(*s)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.writing != nil { // it is nil where this was tried before
		close(v.writing)
		v.writing = nil
	}
	v.err = nil
	if err != nil {
		v.err = fmt.Errorf("save state of %s: %w", s.Spec.Name, err)
		if v.pending == nil {
			v.pending = s
		}
	}
	return v.err
}
