package watch

import (
	"fmt"
	"time"

	"github.com/yokelag/yoke/agg"
)

// Carrier watches a port's carrier with the two delays of bonding's MII monitor. It
// differs in three points, each on purpose: delays are kept as they were given and not
// in ticks of a poll; an interface that is absent or administratively down is given up
// at once, as that is no flutter to wait out; and another interface of the same name
// starts anew.
type Carrier struct {
	upDelay, downDelay time.Duration
	state              State
}

// NewCarrier returns a carrier watch that has seen nothing. Delays below 0 count as 0.
func NewCarrier(upDelay, downDelay time.Duration) *Carrier {
	return &Carrier{upDelay: max(0, upDelay), downDelay: max(0, downDelay)}
}

// Step implements Watch.
func (c *Carrier) Step(in Input) Output {
	c.notice(in)
	for c.move(in) {
	}
	return Output{Verdict: c.verdict(in)}
}

// notice starts a watch, and starts it again when the interface is another one.
func (c *Carrier) notice(in Input) {
	s := &c.state
	replaced := in.Link.Present && s.Index != 0 && s.Index != in.Link.Index
	if !s.Known || replaced && s.Phase != Down {
		c.enter(Down, in.Now)
	}
	if in.Link.Present {
		s.Index = in.Link.Index
	}
	s.Known = true
}

// move makes one transition and reports whether it did. Down, Rising and Up can follow
// in one step where the delay is 0, but there is no way round.
func (c *Carrier) move(in Input) bool {
	ok := in.Link.Present && in.Link.AdminUp && in.Link.Carrier
	fluttering := in.Link.Present && in.Link.AdminUp && !in.Link.Carrier
	waited := in.Now.Sub(c.state.Since)
	switch {
	case c.state.Phase == Rising && in.Promoted: // first: if it is lost now, downdelay counts
		return c.enter(Up, in.Now)
	case c.state.Phase == Up && !ok:
		return c.enter(Falling, in.Now)
	case c.state.Phase == Falling && ok:
		return c.enter(Up, in.Now)
	case c.state.Phase == Falling && (!fluttering || waited >= c.downDelay):
		return c.enter(Down, in.Now)
	case c.state.Phase == Down && ok:
		return c.enter(Rising, in.Now)
	case c.state.Phase == Rising && !ok:
		return c.enter(Down, in.Now)
	case c.state.Phase == Rising && waited >= c.upDelay:
		return c.enter(Up, in.Now)
	}
	return false
}

func (c *Carrier) enter(p Phase, now agg.Instant) bool {
	c.state.Phase, c.state.Since = p, now
	return true
}

func (c *Carrier) verdict(in Input) Verdict {
	v := Verdict{Phase: c.state.Phase, Since: c.state.Since}
	switch v.Phase {
	case Up:
		v.Reason, v.Detail = ReasonLinkUp, "carrier is up"
	case Rising:
		v.Reason, v.Remaining = ReasonUpDelay, c.upDelay-in.Now.Sub(v.Since)
		v.Detail = fmt.Sprintf("carrier is up, %v of updelay left", v.Remaining.Round(time.Millisecond))
	case Falling:
		v.Reason, v.Remaining = ReasonDownDelay, c.downDelay-in.Now.Sub(v.Since)
		v.Detail = fmt.Sprintf("no carrier, %v of downdelay left", v.Remaining.Round(time.Millisecond))
	default:
		v.Reason, v.Detail = whyDown(in.Link)
	}
	return v
}

func whyDown(l agg.LinkFacts) (reason, detail string) {
	switch {
	case !l.Present:
		return ReasonAbsent, "there is no such interface"
	case !l.AdminUp:
		return ReasonAdminDown, "the interface is set down"
	default:
		return ReasonNoCarrier, "no carrier"
	}
}

// Deadline implements Watch.
func (c *Carrier) Deadline() agg.Instant {
	switch c.state.Phase {
	case Rising:
		return c.state.Since.Add(c.upDelay)
	case Falling:
		return c.state.Since.Add(c.downDelay)
	default:
		return agg.Never
	}
}

// Wants implements Watch.
func (c *Carrier) Wants() agg.FrameClass { return 0 }

// State implements Watch.
func (c *Carrier) State() State { return c.state }

// Restore implements Watch.
func (c *Carrier) Restore(s State) { c.state = s }
