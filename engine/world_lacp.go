package engine

import (
	"context"

	"github.com/yokelag/yoke/agg"
)

// Slow lets aggregates speak slow protocols, LACP and Marker, on their ports.
type Slow interface {
	// Listen returns an ear of one aggregate, which hears nothing yet.
	Listen() Ear
}

// Ear is how one aggregate hears and speaks on its ports. One goroutine calls it.
type Ear interface {
	// Hear makes the ear listen on exactly these interfaces, by ifindex, and on those of
	// them that it can after an error. It is called again with the same where it may have
	// failed.
	Hear(indexes []int) error
	// Wake receives after frames have come.
	Wake() <-chan struct{}
	// Take returns the next frame that has come, from the destination address on, and the
	// interface it came by. It does not wait. The frame is valid until the next call.
	Take() (ifindex int, frame []byte, ok bool)
	// Send transmits a frame at control priority, or behind the data that waits for the
	// interface.
	Send(ctx context.Context, ifindex int, frame []byte, behind bool) error
	// Close stops listening.
	Close() error
}

// Counter is an Ear that counts what it could not hear.
type Counter interface {
	// Unread returns how many frames were lost on an interface because more came than are
	// read. It is 0 where nothing is listened to.
	Unread(ifindex int) uint64
}

// SpokenStore is a Store that also keeps when a port last sent a LACPDU. A partner
// believes in a port for some time after that, so the next daemon must know.
type SpokenStore interface {
	// SaveSpoken is called for each LACPDU by the engine's own goroutine: it must cost
	// next to nothing.
	SaveSpoken(port uint16, at agg.Instant) error
}
