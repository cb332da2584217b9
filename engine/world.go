package engine

import (
	"context"
	"time"

	"github.com/yokelag/yoke/agg"
)

// Plane is where forwarding happens, as the engine sees it. One engine goroutine
// calls it; the methods need not be safe for concurrent use.
type Plane interface {
	// Capability tells what the plane can do; it does not change while the plane is open.
	Capability() agg.Capability
	// Apply makes the plane do exactly p: it takes ports that are new in p (by name and
	// ifindex), gives back ports that are gone from it, sets device carrier, MAC and MTU,
	// and publishes the table atomically. It may be called again with the same plan, and
	// it finds the difference itself. After an error the earlier plan is still in force,
	// or the call can be repeated; nothing in between is left for frames to see.
	Apply(ctx context.Context, p agg.Plan) error
	// Observe reads back what is in force, with counters and link facts of the ports.
	Observe(ctx context.Context) (agg.Facts, error)
	// Close lets go of descriptors. Forwarding goes on where OutlivesDaemon says so.
	Close() error
	// Destroy takes the aggregate apart: ports are given back as they were, the device
	// is removed, nothing is left behind.
	Destroy(ctx context.Context) error
}

// Links tells what the kernel knows of interfaces, cheaply and fresh.
type Links interface {
	// Read returns the facts of the named interfaces in the order of names, asked from
	// the kernel now. An absent interface has Present false; that is not an error.
	Read(ctx context.Context, names []string) ([]agg.LinkFacts, error)
	// Subscribe wakes the receiver when any of the named interfaces may have changed:
	// on a link event, when a poll sees another carrier, and on every overrun of the
	// event source (all subscribers). Wake-ups coalesce; the receiver reads the facts.
	Subscribe(s Subscription) (wake <-chan struct{}, cancel func())
}

// Subscription is what one aggregate wants to be woken for.
type Subscription struct {
	Names []string
	// Poll is the period of the carrier poll behind the events: 0 means none.
	Poll time.Duration
	// Adapt allows a longer period when many ports are polled, and a shorter one just
	// after a link event.
	Adapt bool
	// UseCarrier false polls by ethtool and MII instead of the carrier flag.
	UseCarrier bool
}

// Frames sends frames that the daemon makes itself.
type Frames interface {
	// Send transmits frame, from the destination address on and without FCS, out of the
	// interface with the given ifindex, past tc filters.
	Send(ctx context.Context, ifindex int, frame []byte) error
}

// Clock is the boot clock. Timers are package time's, so that testing/synctest drives
// both.
type Clock interface {
	Now() agg.Instant
}
