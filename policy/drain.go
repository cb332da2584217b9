package policy

import (
	"maps"
	"slices"
	"time"

	"github.com/yokelag/yoke/agg"
)

// idle is for how long a bucket was not used when its move does not wait any more. It is longer
// than agg.Pause by the grain of the coarsest clock that a kernel stamps frames with, and by what
// rounding adds: the plane takes the next frame for one after a pause then, and so none comes
// between the look and the next plan.
const idle = agg.Pause + 12*time.Millisecond

// drainLinger is how long the port that lost the traffic goes on receiving, for what is
// under way to it.
const drainLinger = 50 * time.Millisecond

// Drain is a planned move in progress: traffic leaves a port that works. A value is never
// changed once it is in a State.
type Drain struct {
	Since agg.Instant `json:"since"`
	// Held names the ports by which entries of the table still leave; they are the
	// entries' indexes.
	Held map[int]string `json:"held,omitempty"`
	// Open are the ports that go on receiving, until Until where nothing is held any more.
	Open  []string    `json:"open,omitempty"`
	Until agg.Instant `json:"until,omitempty"`
}

// Holding reports whether entries wait for a pause in their traffic, which is what
// Input.Entries tells.
func (d *Drain) Holding() bool { return d != nil && len(d.Held) > 0 }

// holdsAt reports whether an entry leaves by the named port until its traffic pauses.
func (d *Drain) holdsAt(entry int, name string) bool { return d != nil && d.Held[entry] == name }

// Begins reports whether entries wait that did not wait in the move before.
func (d *Drain) Begins(before *Drain) bool {
	for i, name := range d.Held {
		if !before.holdsAt(i, name) {
			return true
		}
	}
	return false
}

// Equal reports whether two are the same.
func (d *Drain) Equal(o *Drain) bool {
	if d == nil || o == nil {
		return d == o
	}
	return d.Since == o.Since && d.Until == o.Until && slices.Equal(d.Open, o.Open) && maps.Equal(d.Held, o.Held)
}

// alive reports whether a port still carries as well as any, so that leaving it can wait.
func (b *builder) alive(port int) bool {
	if port < 0 || !b.ports[port].Present {
		return false
	}
	if l := b.ports[port].LACP; l != nil {
		return l.Sends
	}
	return b.ports[port].Watch.State == Up
}

// portNamed returns the index of a port by its name, or agg.NoPort.
func (b *builder) portNamed(name string) int {
	return slices.IndexFunc(b.ports, func(p Candidate) bool { return p.Name == name && name != "" })
}

// drain holds back what of the plan would move traffic away from a port that works. former
// is how entries left before, by name; it matters when a move begins.
func (b *builder) drain(former map[int]string, leaving []string) {
	d := b.in.Previous.Drain
	if b.in.Now == agg.Never || b.c.DrainTimeout == 0 {
		return
	}
	if began := b.beginDrain(former, leaving, d); began != nil {
		d = began
	}
	b.goOn(d)
}

// displace is drain for entries that other ports would take over because of what happened to
// links. They join a move that is in progress, and wait no longer than its other entries.
func (b *builder) displace() {
	if b.in.Now == agg.Never || b.c.DrainTimeout == 0 {
		return
	}
	d := &Drain{Since: b.in.Now, Held: map[int]string{}}
	if before := b.in.Previous.Drain; before.Holding() {
		d.Since = before.Since
		maps.Copy(d.Held, before.Held)
	}
	for i, name := range b.in.Displaced {
		if i < len(b.plan.Table) && b.ports[b.plan.Table[i].First].Name != name && b.alive(b.portNamed(name)) {
			d.Held[i] = name
		}
	}
	if len(d.Held) == 0 {
		b.goOn(b.in.Previous.Drain)
		return
	}
	d.Open = b.losing(d.Held)
	b.goOn(d)
}

// goOn takes a move on to where it is now.
func (b *builder) goOn(d *Drain) {
	if d == nil {
		return
	}
	next := &Drain{Since: d.Since, Held: map[int]string{}, Until: d.Until}
	for i, name := range d.Held {
		if b.holds(d, i, name) {
			next.Held[i] = name
		}
	}
	for _, name := range d.Open {
		if b.alive(b.portNamed(name)) {
			next.Open = append(next.Open, name)
		}
	}
	if len(next.Held) == 0 && next.Until == agg.Never {
		next.Until = b.in.Now.Add(drainLinger)
	}
	if len(next.Open) == 0 || len(next.Held) == 0 && !b.in.Now.Before(next.Until) {
		return
	}
	b.next.Drain = next
	b.holdBack(next)
}

// beginDrain returns the move that begins now, or nil. A change of mind in the middle of
// a move keeps what is held by now, and one of the configuration holds what it moves too.
func (b *builder) beginDrain(former map[int]string, leaving []string, d *Drain) *Drain {
	if len(b.plan.Table) == 0 || d.Holding() && b.in.Former == nil {
		return nil
	}
	began := Drain{Since: b.in.Now, Held: map[int]string{}}
	for i, name := range former {
		if i < len(b.plan.Table) && b.ports[b.plan.Table[i].First].Name != name && b.alive(b.portNamed(name)) {
			began.Held[i] = name
		}
	}
	for _, name := range leaving {
		if b.alive(b.portNamed(name)) {
			began.Open = append(began.Open, name)
		}
	}
	if len(began.Open) == 0 || d != nil && slices.Equal(d.Open, began.Open) {
		return nil
	}
	return &began
}

// holds reports whether an entry still leaves by its former port.
func (b *builder) holds(d *Drain, entry int, name string) bool {
	port := b.portNamed(name)
	if entry >= len(b.plan.Table) || !b.alive(port) || b.plan.Table[entry].First == port || b.in.Now.Sub(d.Since) >= b.c.DrainTimeout {
		return false
	}
	if entry >= len(b.in.Entries) || b.byBuckets() && !b.in.Previous.Drain.holdsAt(entry, name) {
		return true // not known yet, or the plane does not know yet that the entry moves
	}
	e, enough := b.in.Entries[entry], agg.Pause
	if b.byBuckets() {
		enough = idle
	}
	return !e.Moved && b.in.Now.Sub(e.LastUsed) < enough
}

// byBuckets: planes move the entries by themselves. Where one port carries at a time the other
// end must be told of the change, and the daemon makes it.
func (b *builder) byBuckets() bool { return b.plan.Select == agg.SelectBuckets }

// holdBack puts into the plan what a move leaves as it was.
func (b *builder) holdBack(d *Drain) {
	for i, name := range d.Held {
		port := b.portNamed(name)
		b.plan.Table[i] = agg.Choice{First: port, Second: b.plan.Table[i].First, Moves: b.byBuckets()}
		b.plan.Ports[port].Transmit = true
	}
	for _, name := range d.Open {
		b.plan.Ports[b.portNamed(name)].Receive = true
	}
	if b.plan.Select == agg.SelectFixed && d.Holding() {
		b.keepFirst(b.portNamed(d.Held[0]), b.plan.Table[0].Second)
	}
}

// keepFirst leaves the former active port first in line, and the next one silent.
func (b *builder) keepFirst(former, next int) {
	was := b.plan.Ports[former].Order
	for i := range b.plan.Ports {
		if o := b.plan.Ports[i].Order; o >= 0 && (was == agg.NoPort || o < was) {
			b.plan.Ports[i].Order++
		}
	}
	b.plan.Ports[former].Order = 0
	b.plan.Ports[next].Transmit, b.plan.Ports[next].Receive = false, b.c.AllSlavesActive
}
