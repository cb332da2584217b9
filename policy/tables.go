package policy

import "github.com/yokelag/yoke/agg"

// Tables makes tables as [Table] does, with the same results, and remembers what depends
// on the names and weights of the ports alone, which is nearly all of the work. So a
// table for the same ports, of which others are usable, takes a few microseconds. The
// zero value is ready; it serves one goroutine.
type Tables struct {
	prefer *preferences
	usable set // of the newest table
}

// Table is the function Table.
func (t *Tables) Table(ports []TablePort, moves Overlay) []agg.Choice {
	usable := usableOf(ports)
	if usable == 0 {
		return nil
	}
	if t.prefer == nil || !t.prefer.are(ports) {
		t.prefer = newPreferences(ports)
	}
	t.usable = usable
	t.prefer.reach(usable, 2)
	table := make([]agg.Choice, agg.NumBuckets)
	for b := range table {
		table[b] = t.prefer.choice(b, moves[b], usable)
	}
	return table
}

// Foresee does the work of the tables that follow if any one of the ports fails now, so
// that it is not to be done then.
func (t *Tables) Foresee() {
	if t.prefer != nil {
		t.prefer.reach(t.usable, 3)
	}
}

func usableOf(ports []TablePort) set {
	var s set
	for i, p := range ports {
		if p.Usable {
			s = s.with(i)
		}
	}
	return s
}
