package logqueue

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Writer is an io.Writer that never waits, for one line in each call, as the handlers of
// log/slog make them. Its methods may be called by any goroutine.
type Writer struct {
	to      io.Writer
	lost    func(lines uint64) []byte
	lines   chan []byte
	untold  atomic.Uint64 // lines that were dropped and that nobody was told of
	dropped atomic.Uint64
	closing sync.Once
	ending  chan struct{} // closed when Close is called
	ended   chan struct{} // closed when all is written
}

// New returns a writer that keeps at most so many lines, 1 at least, that to has not taken
// yet. lost makes the line that tells how many were dropped; it is called by one goroutine.
// The writer is to be closed.
func New(to io.Writer, limit int, lost func(lines uint64) []byte) *Writer {
	w := &Writer{to: to, lost: lost, lines: make(chan []byte, max(1, limit)), ending: make(chan struct{}), ended: make(chan struct{})}
	go w.run()
	return w
}

// Write queues a line or drops it; the error is nil in either case. After Close nobody may
// be there to write it.
func (w *Writer) Write(line []byte) (int, error) {
	select {
	case w.lines <- slices.Clone(line):
	default:
		w.untold.Add(1)
		w.dropped.Add(1)
	}
	return len(line), nil
}

// Dropped is how many lines were dropped.
func (w *Writer) Dropped() uint64 { return w.dropped.Load() }

// Close waits until what was queued before is written, so long at most; the error tells how
// many lines are not. It may be called again.
func (w *Writer) Close(within time.Duration) error {
	w.closing.Do(func() { close(w.ending) })
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-w.ended:
		return nil
	case <-timer.C:
		return fmt.Errorf("write the log: after %v nobody has read the last %d lines of it, and %d were dropped before", within, len(w.lines)+1, w.Dropped())
	}
}

func (w *Writer) run() {
	defer close(w.ended)
	for {
		select {
		case line := <-w.lines:
			w.put(line)
		case <-w.ending:
			w.rest()
			return
		}
	}
}

// rest writes what is there.
func (w *Writer) rest() {
	for {
		select {
		case line := <-w.lines:
			w.put(line)
		default:
			return
		}
	}
}

// put writes a line, and tells of those dropped when the reader has caught up. A log that
// cannot be written has nobody to be told to.
func (w *Writer) put(line []byte) {
	_, _ = w.to.Write(line)
	if len(w.lines) > 0 {
		return
	}
	if n := w.untold.Swap(0); n > 0 {
		_, _ = w.to.Write(w.lost(n))
	}
}
