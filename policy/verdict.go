package policy

import (
	"time"

	"github.com/yokelag/yoke/agg"
)

// VerdictState is what the watches of a port say together.
type VerdictState uint8

// The states. Bonding calls them down, going back, up and going down.
const (
	// Down: the port does not work.
	Down VerdictState = iota
	// Rising: the port works and waits out its updelay.
	Rising
	// Up: the port works.
	Up
	// Falling: the port fails and its downdelay is not over; it is still used.
	Falling
)

// String names the state in status.
func (s VerdictState) String() string {
	switch s {
	case Down:
		return "down"
	case Rising:
		return "rising"
	case Up:
		return "up"
	case Falling:
		return "falling"
	default:
		return "unknown"
	}
}

// Verdict is the combined result of a port's watches.
type Verdict struct {
	State VerdictState
	// Remaining is what is left of the delay in Rising and Falling.
	Remaining time.Duration
	// Since is when State was entered. Of several Rising ports the one that waited
	// longest is taken when no port is up.
	Since agg.Instant
	// Reason is a stable code, Detail the same for people.
	Reason, Detail string
}
