package engine

import (
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire/slow"
)

// KeepAlive speaks LACP on the ports of one aggregate when its engine does not, so that
// partners do not notice that it has ended until the next one is there.
type KeepAlive interface {
	// Every is how often Beat must be called.
	Every() time.Duration
	// Beat says that the engine is there at an instant.
	Beat(now agg.Instant) error
	// Set tells what may be said on a port, by ifindex, from now on, when the plane has
	// the port. The same as before costs nothing.
	Set(ifindex int, w Words) error
	// Kept tells what was done on a port for an engine before, until Set is called for it.
	// ok is false where nothing is known of any.
	Kept(ifindex int) (k Kept, ok bool, err error)
	// Mend puts back what somebody else has taken off the ports since Set, and tells on how
	// many of them.
	Mend() (ports int, err error)
	// Remove ends it for a port, before the plane gives the port back.
	Remove(ifindex int) error
}

// Words are what may be said on a port.
type Words struct {
	// Speak is false where nothing may. Otherwise it may be said for MaxOrphan after the
	// last beat.
	Speak     bool
	MaxOrphan time.Duration
	// Actor and Partner are what both ends said last.
	Actor, Partner slow.Info
	// MAC is the port's own address.
	MAC agg.MAC
}

// Kept is what was done for an engine.
type Kept struct {
	// Beat is when that engine was there for the last time, Spoken when its partner was
	// last answered since, agg.Never where it was not, and Answers how often.
	Beat, Spoken agg.Instant
	Answers      uint64
	// Stopped is why the port was given up, empty where it was not.
	Stopped string
}
