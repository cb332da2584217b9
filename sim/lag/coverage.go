package lag

import (
	"fmt"
	"strings"
	"time"

	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/lacptest"
)

// Coverage is what runs have seen.
type Coverage struct {
	Seeds, Steps, Frames, Lost, Doubled, Delayed uint64
	// Moves are transitions, and Rows how often each row of the tables was taken, also
	// those that change no state.
	Moves uint64
	Rows  map[lacp.Row]uint64
	Deeds [deeds]uint64
	// Simulated is virtual time.
	Simulated time.Duration
	// Slowest is the longest time from the last fault to all that may carry carrying, and
	// Settled how many runs took up to 1, 2, 5, 10 and more seconds.
	Slowest time.Duration
	Settled [5]uint64
}

func (c *Coverage) settledIn(d time.Duration) {
	c.Slowest = max(c.Slowest, d)
	i := 0
	for _, bound := range []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second} {
		if d > bound {
			i++
		}
	}
	c.Settled[i]++
}

// Add adds other runs.
func (c *Coverage) Add(d Coverage) {
	c.Seeds, c.Steps, c.Frames, c.Lost = c.Seeds+d.Seeds, c.Steps+d.Steps, c.Frames+d.Frames, c.Lost+d.Lost
	c.Doubled, c.Delayed, c.Moves, c.Simulated = c.Doubled+d.Doubled, c.Delayed+d.Delayed, c.Moves+d.Moves, c.Simulated+d.Simulated
	c.Slowest = max(c.Slowest, d.Slowest)
	for i := range c.Deeds {
		c.Deeds[i] += d.Deeds[i]
	}
	for i := range c.Settled {
		c.Settled[i] += d.Settled[i]
	}
	if c.Rows == nil {
		c.Rows = map[lacp.Row]uint64{}
	}
	for r, n := range d.Rows {
		c.Rows[r] += n
	}
}

// String is a few lines for people.
func (c Coverage) String() string {
	var b strings.Builder
	faults := c.Lost + c.Doubled + c.Delayed
	var words []string
	for d, n := range c.Deeds {
		faults += n
		words = append(words, fmt.Sprintf("%s %d", deed(d), n))
	}
	fmt.Fprintf(&b, "lacp: %d seeds, %.1f simulated hours, %d steps, %d transitions, %d faults\n", c.Seeds, c.Simulated.Hours(), c.Steps, c.Moves, faults)
	fmt.Fprintf(&b, "  frames: %d arrived, %d lost, %d doubled, %d held back\n", c.Frames, c.Lost, c.Doubled, c.Delayed)
	fmt.Fprintf(&b, "  deeds: %s\n", strings.Join(words, ", "))
	fmt.Fprintf(&b, "  carried again after the last fault: %d within 1 s, %d within 2 s, %d within 5 s, %d within 10 s, %d later; the slowest after %v\n",
		c.Settled[0], c.Settled[1], c.Settled[2], c.Settled[3], c.Settled[4], c.Slowest)
	var never []string
	for _, r := range lacp.Rows() {
		if c.Rows[r] == 0 {
			never = append(never, r.String())
		}
	}
	fmt.Fprintf(&b, "  rows of the tables taken: %d of %d", len(lacp.Rows())-len(never), len(lacp.Rows()))
	if len(never) > 0 {
		fmt.Fprintf(&b, "; not %s", strings.Join(never, " "))
	}
	return b.String()
}

// retire counts what a system has taken, when it ends.
func (w *world) retire(s *system) {
	if w.cover.Rows == nil {
		w.cover.Rows = map[lacp.Row]uint64{}
	}
	for _, r := range lacp.Rows() {
		w.cover.Rows[r] += s.lacp.Taken(r)
	}
}

// finish sums the run up.
func (w *world) finish() Coverage {
	for _, s := range w.systems {
		w.retire(s)
	}
	w.cover.Seeds, w.cover.Simulated = 1, w.net.Now.Sub(lacptest.Beginning)
	return w.cover
}
