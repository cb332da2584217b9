package engine

import (
	"fmt"
	"maps"
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/announce"
	"github.com/yokelag/yoke/policy"
	"github.com/yokelag/yoke/watch"
)

// SavedVersion is the newest version of Saved that this engine reads and writes.
const SavedVersion = 1

// Saved is what an engine must be given to go on where another left off, within one
// boot of the kernel. It holds no facts: those are read again.
type Saved struct {
	Version int `json:"version"`
	// BootID is the kernel's, filled in and checked by the Store; instants of another
	// boot mean nothing.
	BootID string `json:"boot_id"`
	// Spec is what is wanted and Plane the name of the plane that was chosen for it.
	Spec  agg.Spec `json:"spec"`
	Plane string   `json:"plane"`
	// MAC is the aggregate's address, once it has one.
	MAC agg.MAC `json:"mac,omitzero"`
	// Generation and PublishedAt are those of the last published plan.
	Generation  uint64      `json:"generation"`
	PublishedAt agg.Instant `json:"published_at"`
	// Seq is the number of the last event and Events the newest of them.
	Seq    uint64      `json:"seq"`
	Events []agg.Event `json:"events,omitempty"`
	// Policy holds the active port and what else the next choice depends on.
	Policy policy.State `json:"policy"`
	// Announce is what is left to tell of the last failover.
	Announce announce.State `json:"announce,omitzero"`
	// Moves are the balancer's explicit moves.
	Moves policy.Overlay `json:"moves,omitempty"`
	// LACP is that of mode 802.3ad.
	LACP *SavedLACP `json:"lacp,omitempty"`
	// Ports are by name.
	Ports map[string]SavedPort `json:"ports,omitempty"`
	// Repairs counts plans that were not in force although they had been applied.
	Repairs uint64 `json:"repairs,omitempty"`
	// Stopped is when the engine ended in order, agg.Never while it runs.
	Stopped agg.Instant `json:"stopped,omitempty"`
}

// SavedPort is the saved state of one port.
type SavedPort struct {
	Watch watch.State `json:"watch"`
	// Index is the ifindex that it had, 0 where it was absent.
	Index    int                  `json:"ifindex,omitempty"`
	Failures uint64               `json:"failures"`
	Gates    map[string]GateState `json:"gates,omitempty"`
}

// GateState remembers since when a gate is open or shut.
type GateState struct {
	OK    bool        `json:"ok"`
	Since agg.Instant `json:"since"`
}

// Store keeps saved state.
type Store interface {
	// Save replaces what was saved. It is called by one goroutine at a time, not by the
	// one that forwards, and may take its time. The value is the store's to keep.
	Save(s Saved) error
}

// seqGap is added to the event number where the engine before did not end in order: it
// may have shown events that it could not save any more, and no number is given twice.
const seqGap = 128

// check refuses state that this engine cannot read.
func (s *Saved) check(name string) error {
	if s.Version > SavedVersion {
		return fmt.Errorf("saved state of %s has version %d; this program reads up to %d: use the newer yoked that wrote it", name, s.Version, SavedVersion)
	}
	return nil
}

// clone copies all that an engine changes in place.
func (s Saved) clone() Saved {
	s.Spec = s.Spec.Clone()
	s.Events = slices.Clone(s.Events)
	s.Moves = maps.Clone(s.Moves)
	s.Policy.Speeds = maps.Clone(s.Policy.Speeds)
	s.LACP = s.LACP.clone()
	s.Ports = maps.Clone(s.Ports)
	for name, p := range s.Ports {
		p.Gates = maps.Clone(p.Gates)
		s.Ports[name] = p
	}
	return s
}
