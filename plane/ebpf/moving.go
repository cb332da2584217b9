package ebpf

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// moving is what the programs know of the entries that move, agg.Choice.Moves. They decide for
// each frame; the daemon says when such an entry was used last before.
type moving struct{ moves, idle, entries *ebpf.Map }

// moves reports whether the entry moves.
func (c yokeChoice) moves() bool { return c.First >= moves && c.First != nowhere }

// from is the place of the first choice.
func (c yokeChoice) from() uint8 {
	if c.moves() {
		return c.First - moves
	}
	return c.First
}

// key is what the programs write into the map when the entry has moved.
func (c yokeChoice) key() uint32 { return uint32(c.First)<<8 | uint32(c.Second) }

// isMoving reports whether an entry moves by a plan that was published.
func (e *yokePlan) isMoving(entry int) bool {
	return e.PublishedAt != 0 && entry < int(e.Entries) && e.Table[entry].moves()
}

// clear forgets entries that begin to move with the next plan. It comes before that is in force,
// and no program looks at them. What moves already goes on, or moves between other ports and
// then has not moved as the programs see it.
func (m moving) clear(now, next *yokePlan) error {
	for i := range int(next.Entries) {
		if now.isMoving(i) || !next.Table[i].moves() {
			continue
		}
		if err := m.idle.Put(uint32(i), uint64(0)); err != nil {
			return fmt.Errorf("clear the last use of entry %d: %w", i, err)
		}
		if err := m.moves.Put(uint32(i), yokeMove{}); err != nil {
			return fmt.Errorf("clear the move of entry %d: %w", i, err)
		}
	}
	return nil
}

// begin comes when the plan is in force: it has a frame after a pause move its entry, also the
// first. What was sent by the plan before is counted, and what is sent meanwhile the programs
// remember themselves. An entry that was never used counts as used at the beginning of time.
// Where that was done before, nothing changes.
func (m moving) begin(e *yokePlan) error {
	for i := range e.Entries {
		if !e.Table[i].moves() {
			continue
		}
		var before uint64
		if err := m.idle.Lookup(i, &before); err != nil {
			return fmt.Errorf("read the last use of entry %d: %w", i, err)
		}
		if before != 0 {
			continue
		}
		s, err := sumEntry(m.entries, i)
		if err != nil {
			return err
		}
		if err := m.idle.Put(i, max(s.LastUsed, 1)); err != nil {
			return fmt.Errorf("write the last use of entry %d: %w", i, err)
		}
	}
	return nil
}

// moved reports whether an entry, which moves as c says, has moved.
func (m moving) moved(entry uint32, c yokeChoice) (bool, error) {
	if !c.moves() {
		return false, nil
	}
	var v yokeMove
	if err := m.moves.Lookup(entry, &v); err != nil {
		return false, fmt.Errorf("read the move of entry %d: %w", entry, err)
	}
	return v.Moved == c.key(), nil
}
