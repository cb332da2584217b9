package lacp

import (
	"fmt"

	"github.com/yokelag/yoke/agg"
)

// Snapshot is a whole System between two steps. Another one made of it gives the same
// outputs for the same inputs, which one that goes on from Saved does not: that begins a
// new life. It can be written down.
type Snapshot struct {
	Config Config         `json:"config"`
	Saved  Saved          `json:"saved"`
	Rest   SnapshotRest   `json:"rest"`
	Ports  []SnapshotPort `json:"ports"`
}

// SnapshotRest is what nobody needs who goes on in another process.
type SnapshotRest struct {
	Settled   agg.Instant `json:"settled"`
	Dirty     bool        `json:"dirty,omitempty"`
	Unsettled uint64      `json:"unsettled,omitempty"`
}

// SnapshotPort is the rest of a port, in the order of Saved.Ports.
type SnapshotPort struct {
	Receives bool     `json:"receives,omitempty"`
	Sends    bool     `json:"sends,omitempty"`
	Yields   bool     `json:"yields,omitempty"`
	Counters Counters `json:"counters"`
}

// Snapshot returns the system as it is. How often rows were taken is not in it.
func (s *System) Snapshot() Snapshot {
	out := Snapshot{Config: s.cfg, Saved: s.Save(), Rest: SnapshotRest{Settled: s.settled, Dirty: s.dirty, Unsettled: s.unsettled}}
	out.Config.Ports = append([]Port(nil), s.cfg.Ports...)
	for _, p := range s.ports {
		out.Ports = append(out.Ports, SnapshotPort{Receives: p.receives, Sends: p.sends, Yields: p.yields, Counters: p.counters})
	}
	return out
}

// FromSnapshot returns a system as another one was. The error is of a snapshot that is
// none: of a configuration that cannot be, or of other ports than it names.
func FromSnapshot(from Snapshot) (*System, error) {
	s, err := New(from.Config)
	if err != nil {
		return nil, err
	}
	if len(from.Saved.Ports) != len(s.ports) || len(from.Ports) != len(s.ports) {
		return nil, fmt.Errorf("a snapshot of %d ports has the state of %d and the counters of %d", len(s.ports), len(from.Saved.Ports), len(from.Ports))
	}
	for i, p := range s.ports {
		saved, rest := from.Saved.Ports[i], from.Ports[i]
		if saved.Number != p.cfg.Number {
			return nil, fmt.Errorf("a snapshot has the state of port %d where port %d should be", saved.Number, p.cfg.Number)
		}
		p.PortState = saved.State
		p.receives, p.sends, p.yields, p.counters = rest.Receives, rest.Sends, rest.Yields, rest.Counters
	}
	s.now, s.active, s.carrier = from.Saved.At, from.Saved.Active, from.Saved.Carrier
	s.silent, s.fallbackEnds = from.Saved.Silent, from.Saved.FallbackEnds
	s.settled, s.dirty, s.unsettled = from.Rest.Settled, from.Rest.Dirty, from.Rest.Unsettled
	return s, nil
}
