package watch

import (
	"time"

	"github.com/yokelag/yoke/agg"
)

// Watch judges one port. It is used by one goroutine.
type Watch interface {
	// Step takes what is known now and returns the verdict. Stepping twice with the same
	// input is harmless, and a step may come at any time, not only at the deadline.
	Step(in Input) Output
	// Deadline is when the next step is due although nothing changed, or agg.Never.
	Deadline() agg.Instant
	// Wants are the classes of received frames the watch must be shown.
	Wants() agg.FrameClass
	// State is what the watch must be given after a restart, and Restore gives it.
	State() State
	Restore(s State)
}

// Input is what a watch is stepped with.
type Input struct {
	Now  agg.Instant
	Link agg.LinkFacts
	// Promoted: the port has been used since before its updelay was over, because no other
	// worked. That ends the delay.
	Promoted bool
	// Frames were received on the port since the last step, of the classes wanted, from
	// the destination address on.
	Frames [][]byte
}

// Output is a step's result.
type Output struct {
	Verdict
	// Send are frames to transmit on the port now.
	Send [][]byte
}

// Phase is the state of a port under a watch. The words of bonding are beside them.
type Phase uint8

// The phases.
const (
	Down    Phase = iota // DOWN: does not work
	Rising               // BACK: works, updelay runs
	Up                   // UP: works
	Falling              // FAIL: does not work, downdelay runs; the port is still used
)

// String names the phase in status and saved state.
func (p Phase) String() string {
	switch p {
	case Rising:
		return "rising"
	case Up:
		return "up"
	case Falling:
		return "falling"
	default:
		return "down"
	}
}

// MarshalText implements encoding.TextMarshaler.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. Unknown words mean down.
func (p *Phase) UnmarshalText(b []byte) error {
	*p = Down
	for _, q := range []Phase{Rising, Up, Falling} {
		if q.String() == string(b) {
			*p = q
		}
	}
	return nil
}

// Usable reports whether the watch lets the port carry frames.
func (p Phase) Usable() bool { return p == Up || p == Falling }

// The reason codes of verdicts.
const (
	ReasonLinkUp     = "link-up"
	ReasonAbsent     = "absent"
	ReasonAdminDown  = "admin-down"
	ReasonNoCarrier  = "no-carrier"
	ReasonUpDelay    = "updelay"
	ReasonDownDelay  = "downdelay"
	ReasonNotWatched = "not-watched"
)

// Verdict is what a watch thinks of its port.
type Verdict struct {
	Phase Phase
	// Since is when the phase was entered.
	Since agg.Instant
	// Remaining is what is left of the delay in Rising and Falling.
	Remaining time.Duration
	// Reason is one of the codes above, Detail the same for people.
	Reason, Detail string
}

// State is the part of a watch that survives a restart.
type State struct {
	// Known is false for a watch that was never stepped.
	Known bool        `json:"known,omitempty"`
	Phase Phase       `json:"phase"`
	Since agg.Instant `json:"since"`
	// Index is the ifindex of the device that was judged.
	Index int `json:"ifindex,omitempty"`
	// Parts are the states of a combined watch, in order.
	Parts []State `json:"parts,omitempty"`
}

// For returns the watch that a configuration asks for on one of its ports.
func For(c agg.Config, p agg.PortConfig) Watch {
	if !c.Watching {
		return NewNone()
	}
	return NewCarrier(p.UpDelay, p.DownDelay)
}
