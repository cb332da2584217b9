package lag

import (
	"math/rand/v2"
	"time"

	"github.com/yokelag/yoke/lacp/lacptest"
)

// cable joins the port near of the hub with a port of another system. Its ways are apart:
// [0] is from the hub.
type cable struct {
	wire    *lacptest.Wire
	near    uint16
	far     *system
	farPort uint16
	ways    [2]way
}

// way is what happens to frames in one direction, in percent.
type way struct {
	lose, twice int
	// late is the most that a frame is held back, which reorders.
	late time.Duration
}

// loosen makes both ways of a cable as bad as it happens.
func (c *cable) loosen(r *rand.Rand) {
	for i := range c.ways {
		c.ways[i] = way{}
		switch r.IntN(4) {
		case 0:
			c.ways[i].lose = 100
		case 1, 2:
			c.ways[i] = way{lose: r.IntN(60), twice: r.IntN(40), late: time.Duration(r.IntN(40)) * time.Millisecond}
		}
	}
}

// connect plugs a cable in at both ends. Its links stay down.
func (w *world) connect(c *cable) {
	hub := w.hub().node
	c.wire = w.net.Connect(hub, c.near, c.far.node, c.farPort)
	c.wire.Fault = func(from *lacptest.Node, _ []byte) []time.Duration {
		i := 1
		if from == hub {
			i = 0
		}
		return w.fly(c.ways[i])
	}
}

// fly returns when the copies of a frame arrive.
func (w *world) fly(y way) []time.Duration {
	if w.random.IntN(100) < y.lose {
		w.cover.Lost++
		return nil
	}
	copies := 1
	if w.random.IntN(100) < y.twice {
		w.cover.Doubled++
		copies = 2
	}
	out := make([]time.Duration, copies)
	for i := range out {
		out[i] = 500 * time.Microsecond
		if y.late > 0 {
			w.cover.Delayed++
			out[i] += time.Duration(w.random.Int64N(int64(y.late)))
		}
	}
	return out
}

// move plugs the far end of a cable into another port: one that is free, or that of
// another cable, which gets this one's.
func (w *world) move(c *cable) {
	far := w.systems[1+w.random.IntN(len(w.systems)-1)]
	port := uint16(1 + w.random.IntN(len(far.ports)))
	moved := []*cable{c}
	for _, d := range w.cables {
		if d != c && d.far == far && d.farPort == port {
			d.far, d.farPort = c.far, c.farPort
			moved = append(moved, d)
		}
	}
	for _, d := range moved {
		w.net.Unplug(d.wire)
	}
	c.far, c.farPort = far, port
	for _, d := range moved {
		w.connect(d)
		if w.random.IntN(4) > 0 {
			w.net.Up(d.wire, true)
		}
	}
}
