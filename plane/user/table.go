package user

import (
	"slices"
	"sync/atomic"

	"github.com/yokelag/yoke/agg"
)

// table is a plan made ready for forwarding. It is never changed once published.
type table struct {
	plan agg.Plan
	at   agg.Instant
	// links are the ports of the plan by their index in it; nil where the device is
	// absent.
	links []*link
	// entries are the counters of the plan's table.
	entries []entry
	// moved tells of each entry that moves whether frames leave by its second choice; nil of
	// the others. A move that goes on is shared with the table before.
	moved []*atomic.Bool
	// opened are the ports, by index, that receive beside those of the plan, because
	// frames are moved to them; away, the transmitter's own, those whose frames are.
	opened []atomic.Bool
	away   []bool
	// classes are those that the transmitter must look for, and unbalanced is the way of
	// plan.Unbalanced.
	classes    agg.FrameClass
	unbalanced way
}

// link is a taken port: its socket and its counters. It lives as long as the device.
type link struct {
	name atomic.Pointer[string] // somebody may rename the interface
	*socket
	counters

	// sentBefore is what the device had sent when the port was taken, and own what was
	// dropped of its own stack's since.
	sentBefore uint64
	own        ownDrops
}

// counters of one port. Each has one writer.
type counters struct {
	txFrames, txBytes, rxFrames, rxBytes, rxDropped, guardMoved atomic.Uint64
}

// entry counts the use of one entry of a table.
type entry struct {
	frames, bytes atomic.Uint64
	lastUsed      atomic.Int64
}

// compile makes a table of a plan. Counters of entries go on where the table has the
// shape it had.
func compile(plan agg.Plan, links map[string]*link, before *table, now agg.Instant) *table {
	plan.Table, plan.Ports = slices.Clone(plan.Table), slices.Clone(plan.Ports)
	t := &table{
		plan: plan, at: now, classes: plan.Copy | plan.Unbalanced,
		unbalanced: way{agg.NoPort, plan.Multicast, plan.Second(plan.Multicast)},
		opened:     make([]atomic.Bool, len(plan.Ports)), away: make([]bool, len(plan.Ports)),
	}
	for _, p := range plan.Ports {
		t.links = append(t.links, links[p.Name])
	}
	if before != nil && before.plan.Select == plan.Select && len(before.plan.Table) == len(plan.Table) {
		t.entries = before.entries
	} else {
		t.entries = make([]entry, len(plan.Table))
	}
	t.moved = moves(plan, before)
	return t
}

func moves(plan agg.Plan, before *table) []*atomic.Bool {
	out := make([]*atomic.Bool, len(plan.Table))
	for i := range out {
		switch from, _ := plan.Move(i); {
		case from == "":
		case before != nil && plan.GoesOn(before.plan, i):
			out[i] = before.moved[i]
		default:
			out[i] = new(atomic.Bool)
		}
	}
	return out
}

// link returns the link of a port, or nil.
func (t *table) link(port int) *link {
	if port == agg.NoPort {
		return nil
	}
	return t.links[port]
}

// receives reports whether what arrives on a port is for the aggregate.
func (t *table) receives(port int) bool { return t.plan.Ports[port].Receive || t.opened[port].Load() }

// leave notes that frames of a port go by their second choice: peers will answer there.
func (t *table) leave(w way) {
	t.away[w.first] = true
	t.opened[w.second].Store(true)
}

// back ends what leave began: the first choice works again.
func (t *table) back(w way) {
	t.away[w.first] = false
	if w.second != agg.NoPort {
		t.opened[w.second].Store(false)
	}
}

// openedPorts counts the ports that leave opened.
func (t *table) openedPorts() (n uint64) {
	for i := range t.opened {
		if t.opened[i].Load() {
			n++
		}
	}
	return n
}

// same reports whether a plan and its ports are those of the table.
func (t *table) same(plan agg.Plan, links map[string]*link) bool {
	if t == nil || t.plan.Generation != plan.Generation || !t.plan.Equal(plan) {
		return false
	}
	for i, p := range t.plan.Ports {
		if links[p.Name] != t.links[i] {
			return false
		}
	}
	return true
}

func (t *table) count(m mark, l *link, now agg.Instant) {
	l.txFrames.Add(1)
	l.txBytes.Add(m.bytes)
	if m.entry == agg.NoPort {
		return
	}
	e := &t.entries[m.entry]
	e.frames.Add(1)
	e.bytes.Add(m.bytes)
	e.lastUsed.Store(int64(now))
}
