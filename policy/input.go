package policy

import (
	"maps"
	"slices"

	"github.com/yokelag/yoke/agg"
)

// Input is everything a plan depends on beside the configuration.
type Input struct {
	// MAC is the address of the aggregate's device.
	MAC agg.MAC
	// Ports are matched with the configuration by name; a configured port that is not
	// listed counts as absent.
	Ports []PortInput
	// Moves are the balancer's explicit moves of buckets.
	Moves Overlay
	// Previous is the State that the last Plan returned, zero where there was none.
	Previous State
	// Now is the time. Where it is zero a planned move is made at once.
	Now agg.Instant
	// Entries tells of each entry of the table in force when it was used last and whether it
	// has moved, nil where that was not asked; see [Drain.Holding].
	Entries []agg.BucketFacts
	// Leaving are configured ports that will be removed once their traffic has moved.
	Leaving []string
	// Carrier is what LACP says of it in mode 802.3ad; other modes do not look at it.
	Carrier bool
	// Former names the ports by which the entries of a table of buckets left before a change
	// of the configuration that is made now, nil where none is.
	Former map[int]string
	// Displaced names the ports by which entries of the table in force leave that this plan
	// would lead elsewhere, nil where there are none or that is not known. Those of a port
	// that works still wait for a pause: another port has come up, or the one gives way.
	Displaced map[int]string
	// Tables remembers work from one plan to the next and changes no result; nil means
	// none.
	Tables *Tables
}

// PortInput is what is known of one port.
type PortInput struct {
	Link  agg.LinkFacts
	Watch Verdict
	// LACP is used in mode 802.3ad.
	LACP Agreement
}

// Agreement is what LACP allows a port.
type Agreement struct {
	// Receives and Sends are collecting and distributing.
	Receives, Sends bool
	// Yields: it sends only until its traffic has moved to a better port.
	Yields bool
	// Reason is a stable code, Detail the same for people.
	Reason, Detail string
}

// State is what a plan passes on to the next one. It is small, comparable through
// Equal, and saved with the aggregate.
type State struct {
	// Active is the active port in modes that have one, empty where there is none.
	Active string `json:"active,omitempty"`
	// Wish is the last active_slave that was acted on, and WishHolds tells that it still
	// keeps better ports away: until the port fails or the wish changes.
	Wish      string `json:"wish,omitempty"`
	WishHolds bool   `json:"wish_holds,omitempty"`
	// Primary is the last primary that took over by being set; a new one does so once,
	// whatever primary_reselect says.
	Primary string `json:"primary,omitempty"`
	// Promoted is a port that is used before its updelay is over, because no port was
	// up. It stays until it is up by itself or down.
	Promoted string `json:"promoted,omitempty"`
	// Speeds are the last known speeds in Mb/s. A port without carrier reports none, and
	// the shares of the others must not change because of that.
	Speeds map[string]uint32 `json:"speeds,omitempty"`
	// Own are the addresses that ports had before, where they do not all have the same.
	Own map[string]OwnMAC `json:"own,omitempty"`
	// MAC is the last address of an aggregate that takes it from its active port.
	MAC agg.MAC `json:"mac,omitzero"`
	// Drain is a planned move in progress, nil where there is none.
	Drain *Drain `json:"drain,omitempty"`
}

// Carrying is the active port, or the one before it while that drains.
func (s State) Carrying() string {
	if s.Active != "" && s.Drain.Holding() {
		return s.Drain.Held[0]
	}
	return s.Active
}

// Equal reports whether two states are the same.
func (s State) Equal(t State) bool {
	if s.Active != t.Active || s.Wish != t.Wish || s.WishHolds != t.WishHolds ||
		s.Primary != t.Primary || s.Promoted != t.Promoted || len(s.Speeds) != len(t.Speeds) {
		return false
	}
	if s.MAC != t.MAC || !maps.Equal(s.Own, t.Own) || !s.Drain.Equal(t.Drain) {
		return false
	}
	for name, speed := range s.Speeds {
		if other, ok := t.Speeds[name]; !ok || other != speed {
			return false
		}
	}
	return true
}

// Reason tells why a port carries or does not (Port set: the gate of the policy), or
// something about the whole aggregate (Port empty: a finding).
type Reason struct {
	Port string
	// OK: the port carries frames. Of a finding: nothing to act on.
	OK bool
	// Code is stable; Text is for people.
	Code, Text string
}

// Candidate is one port as the choice of the active port sees it.
type Candidate struct {
	Name    string
	Present bool
	Watch   Verdict
	// Speed is in Mb/s, 0 where unknown; FullDuplex is false where unknown.
	Speed      uint32
	FullDuplex bool
	Prio       int32
	Sticky     bool
	// Leaving: it will be removed, so that it is not chosen any more.
	Leaving bool
	// LACP is nil where LACP has no say.
	LACP *Agreement
}

// candidates joins configuration and facts, in configured order.
func candidates(c agg.Config, in Input) []Candidate {
	out := make([]Candidate, len(c.Ports))
	for i, p := range c.Ports {
		out[i] = Candidate{Name: p.Name, Prio: p.Prio, Sticky: p.Sticky, Leaving: slices.Contains(in.Leaving, p.Name)}
		k := slices.IndexFunc(in.Ports, func(f PortInput) bool { return f.Link.Name == p.Name })
		if k < 0 {
			continue
		}
		f := in.Ports[k]
		out[i].Present = f.Link.Present && f.Link.Index != 0
		out[i].Watch = f.Watch
		out[i].Speed, out[i].FullDuplex = f.Link.Speed, f.Link.FullDuplex
		if c.Mode == agg.LACP {
			out[i].LACP = &f.LACP
			out[i].Leaving = out[i].Leaving || f.LACP.Yields && othersSend(in)
		}
	}
	return out
}

// othersSend reports whether LACP lets a port send that does not give its place away.
func othersSend(in Input) bool {
	return slices.ContainsFunc(in.Ports, func(p PortInput) bool { return p.LACP.Sends && !p.LACP.Yields })
}

// up reports whether a port may be chosen: it works, or was promoted before its time.
func (p Candidate) up(promoted string) bool {
	if p.LACP != nil {
		return p.Present && !p.Leaving && p.LACP.Sends
	}
	return p.Present && !p.Leaving && (p.Watch.State == Up || p.Watch.State == Rising && p.Name == promoted)
}

// usable adds ports that fail but whose downdelay is not over.
func (p Candidate) usable(promoted string) bool {
	return p.up(promoted) || p.LACP == nil && p.Present && !p.Leaving && p.Watch.State == Falling
}
