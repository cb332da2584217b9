package main

import (
	"sync/atomic"
	"time"
)

// numbered follows a stream of numbered datagrams: when each was sent, and whether it
// came. One goroutine sends, one or more receive.
type numbered struct {
	sent []time.Time
	came []atomic.Bool
	next atomic.Int64
}

func newNumbered(most int) *numbered {
	return &numbered{sent: make([]time.Time, most), came: make([]atomic.Bool, most)}
}

// send calls with each number in turn, one every period, until stop is closed.
func (n *numbered) send(stop <-chan struct{}, period time.Duration, with func(number int)) {
	start := time.Now()
	for i := range n.sent {
		select {
		case <-stop:
			return
		default:
		}
		if ahead := time.Until(start.Add(time.Duration(i) * period)); ahead > 0 {
			time.Sleep(ahead)
		}
		n.sent[i] = time.Now()
		with(i)
		n.next.Store(int64(i + 1))
	}
}

func (n *numbered) received(number uint64) {
	if number < uint64(len(n.came)) {
		n.came[number].Store(true)
	}
}

// outage is what one pull cost a stream.
type outage struct {
	lost int
	// length in milliseconds is from the first datagram lost to the next that came.
	length float64
}

// outages returns what was lost between each of the times and the next.
func (n *numbered) outages(pulls []time.Time) []outage {
	out := make([]outage, len(pulls))
	last := int(n.next.Load())
	pull := -1
	for i := 0; i < last; i++ {
		for pull+1 < len(pulls) && !n.sent[i].Before(pulls[pull+1]) {
			pull++
		}
		if n.came[i].Load() || pull < 0 {
			continue
		}
		first := i
		for i < last && !n.came[i].Load() {
			i++
		}
		o := &out[pull]
		o.lost += i - first
		if i < last {
			o.length = max(o.length, n.sent[i].Sub(n.sent[first]).Seconds()*1000)
		}
	}
	return out
}
