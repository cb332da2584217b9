package user

import (
	"math/rand/v2"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/policy"
)

// way is where one copy of a frame goes.
type way struct {
	entry int // of the plan's table, agg.NoPort where another rule than the table chose
	first int // the port
	// second takes over where the first has no carrier, or is agg.NoPort.
	second int
}

// ways appends the ways of a frame: none where the plan has no port for it, several
// where it leaves in copies. walked counts the frames that round-robin has placed.
func (t *table) ways(to []way, frame []byte, tag policy.Tag, walked *uint64) []way {
	if t.classes != 0 {
		class := policy.ClassesOf(frame)
		if class&t.plan.Copy != 0 {
			return t.everyPort(to)
		}
		if class&t.plan.Unbalanced != 0 && t.plan.Multicast != agg.NoPort {
			return t.by(to, t.unbalanced)
		}
	}
	if t.plan.Select == agg.SelectBroadcast {
		for e := range t.plan.Table {
			to = t.byEntry(to, e)
		}
		return to
	}
	if e := t.entry(frame, tag, walked); e != agg.NoPort {
		to = t.byEntry(to, e)
	}
	return to
}

// entry returns the entry of a frame that takes one, or agg.NoPort.
func (t *table) entry(frame []byte, tag policy.Tag, walked *uint64) int {
	n := len(t.plan.Table)
	switch t.plan.Select {
	case agg.SelectBuckets, agg.SelectModulo:
		return t.plan.Entry(policy.Hash(t.plan.Hash, frame, tag))
	case agg.SelectRoundRobin:
		if n == 0 {
			return agg.NoPort
		}
		turn := *walked / uint64(max(1, t.plan.PacketsPerPort))
		*walked++
		return int(turn % uint64(n))
	case agg.SelectRandom:
		if n == 0 {
			return agg.NoPort
		}
		return rand.IntN(n)
	default:
		return t.plan.Entry(0)
	}
}

func (t *table) byEntry(to []way, e int) []way {
	c := t.plan.Table[e]
	if t.moved[e] != nil && t.hasMoved(e) {
		return t.by(to, way{e, c.Second, c.First})
	}
	return t.by(to, way{e, c.First, c.Second})
}

// hasMoved decides for a frame of an entry that moves; see agg.Choice. The use is noted at once,
// and not only when the frame has left, for those that follow in its batch.
func (t *table) hasMoved(i int) bool {
	e, now := &t.entries[i], bootclock.Now()
	if now-e.lastUsed.Swap(now) >= int64(agg.Pause) {
		t.moved[i].Store(true)
	}
	return t.moved[i].Load()
}

// by appends a way whose port is there and may transmit.
func (t *table) by(to []way, w way) []way {
	if w.first == agg.NoPort || !t.plan.Ports[w.first].Transmit || t.links[w.first] == nil {
		return to
	}
	return append(to, w)
}

func (t *table) everyPort(to []way) []way {
	for i := range t.plan.Ports {
		to = t.by(to, way{agg.NoPort, i, agg.NoPort})
	}
	return to
}

// inOrder reports whether frames of one conversation take several ports, so that all
// frames must leave in the order they came in, and not only those of one port.
func (t *table) inOrder() bool {
	return t.plan.Select == agg.SelectRoundRobin || t.plan.Select == agg.SelectRandom
}
