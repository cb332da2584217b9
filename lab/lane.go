package lab

import (
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// lane is one direction of a relay, used by one goroutine.
type lane struct {
	to   int
	dice *rand.Rand
	held chan heldFrame
	// behind is the frame that waits for the next one, with what it suffers.
	behind     []byte
	behindHarm harm
	// free is when the cable has sent what was given to it, where its rate is bounded.
	free time.Time
}

// heldFrame is a frame that leaves later.
type heldFrame struct {
	due  time.Time
	data []byte
}

// queueLimit is how long a frame waits at most where the rate is bounded.
const queueLimit = 50 * time.Millisecond

// take does to a frame what its direction suffers.
func (l *lane) take(h harm, frame []byte) {
	if l.hits(h.lose) {
		return
	}
	if l.behind == nil && l.hits(h.reorder) {
		l.behind, l.behindHarm = slices.Clone(frame), h
		return
	}
	l.emit(h, frame)
	l.letPass()
}

// letPass sends the frame that waited for another one.
func (l *lane) letPass() {
	if l.behind != nil {
		l.emit(l.behindHarm, l.behind)
		l.behind = nil
	}
}

func (l *lane) emit(h harm, frame []byte) {
	l.send(h, frame)
	if l.hits(h.duplicate) {
		l.send(h, frame)
	}
}

// send sends a frame when its time has come, without keeping it.
func (l *lane) send(h harm, frame []byte) {
	if h.delay == 0 && h.rate == 0 {
		_, _ = unix.Write(l.to, frame)
		return
	}
	now := time.Now()
	due := now
	if h.rate > 0 {
		if l.free.Before(now) {
			l.free = now
		}
		if l.free.Sub(now) > queueLimit {
			return
		}
		bits := 8 * time.Duration(len(frame)-vnetHeaderLen)
		l.free = l.free.Add(bits * time.Microsecond / time.Duration(h.rate))
		due = l.free
	}
	select {
	case l.held <- heldFrame{due.Add(h.delay), slices.Clone(frame)}:
	default: // a cable that is too long for its frames drops them
	}
}

func (l *lane) hits(percent int) bool { return percent > 0 && l.dice.IntN(100) < percent }
