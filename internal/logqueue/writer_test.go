package logqueue_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/internal/logqueue"
)

// reader is what reads the log: it stands still until it is told to go on.
type reader struct {
	gate chan struct{}
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *reader) Write(b []byte) (int, error) {
	<-r.gate
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *reader) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Fields(r.text.String())
}

func lost(n uint64) []byte { return fmt.Appendf(nil, "lost-%d\n", n) }

// Nobody waits for a reader that stands still, and it is told what it has missed.
func TestReaderThatStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{gate: make(chan struct{})}
		w := logqueue.New(r, 4, lost)
		line := []byte("0\n")
		for i := range 10 { // 1 is with the reader and 4 wait
			line[0] = byte('0' + i) // the caller's buffer is the caller's
			if n, err := w.Write(line); n != 2 || err != nil {
				t.Errorf("wrote %d: %v", n, err)
			}
			synctest.Wait()
		}
		if w.Dropped() != 5 {
			t.Errorf("%d dropped", w.Dropped())
		}
		if err := w.Close(time.Second); err == nil || !strings.Contains(err.Error(), "the last 5 lines") || !strings.Contains(err.Error(), "5 were dropped") {
			t.Errorf("closed while nobody read: %v", err)
		}
		close(r.gate)
		if err := w.Close(time.Second); err != nil {
			t.Error(err)
		}
		if got := strings.Join(r.lines(), " "); got != "0 1 2 3 4 lost-5" {
			t.Errorf("got %s", got)
		}
	})
}

// Close writes everything, in order, of several writers too.
func TestCloseWritesEverything(t *testing.T) {
	r := &reader{gate: make(chan struct{})}
	close(r.gate)
	w := logqueue.New(r, 1000, lost)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range 200 {
				fmt.Fprintf(w, "%d-%d\n", i, j)
			}
		})
	}
	all.Wait()
	if err := w.Close(time.Minute); err != nil {
		t.Fatal(err)
	}
	next := map[string]int{}
	for _, l := range r.lines() {
		who, n, _ := strings.Cut(l, "-")
		if n != fmt.Sprint(next[who]) {
			t.Fatalf("of %s came %s, not %d", who, n, next[who])
		}
		next[who]++
	}
	if len(r.lines()) != 800 || w.Dropped() != 0 {
		t.Errorf("%d lines, %d dropped", len(r.lines()), w.Dropped())
	}
}
