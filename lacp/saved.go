package lacp

import "github.com/yokelag/yoke/agg"

// Saved is what a System must be given to go on where another left off, within one boot
// of the kernel. The engine versions it.
type Saved struct {
	// At is when it was taken.
	At agg.Instant `json:"at"`
	// System and SystemPriority are those the partner knows.
	System         agg.MAC `json:"system"`
	SystemPriority uint16  `json:"system_priority"`
	Active         uint16  `json:"active,omitempty"`
	// Silent and FallbackEnds belong to the fallback.
	Silent       agg.Instant `json:"silent,omitempty"`
	FallbackEnds agg.Instant `json:"fallback_ends,omitempty"`
	Carrier      bool        `json:"carrier"`
	Ports        []SavedPort `json:"ports"`
}

// SavedPort is the saved state of one port. Spoken may be moved on by whoever has
// spoken for the system in the meantime.
type SavedPort struct {
	Number uint16      `json:"number"`
	Spoken agg.Instant `json:"spoken"`
	State  PortState   `json:"state"`
}

// Save returns the state.
func (s *System) Save() Saved {
	out := Saved{
		At: s.now, System: s.cfg.System, SystemPriority: s.cfg.SystemPriority,
		Active: s.active, Silent: s.silent, FallbackEnds: s.fallbackEnds, Carrier: s.carrier,
	}
	for _, p := range s.ports {
		out.Ports = append(out.Ports, SavedPort{Number: p.cfg.Number, Spoken: p.Spoken, State: p.PortState})
	}
	return out
}

// Restore gives a new System the state of another. A port goes on as it was while its
// partner still believes in it, that is for three or ninety seconds after we last spoke;
// other ports begin anew. It returns how many go on. Their links are taken to be as they
// were, until a LinkChanged says otherwise, and their partners have a whole timeout to
// be heard.
func (s *System) Restore(from Saved, now agg.Instant) int {
	s.now = max(s.now, now)
	if from.System != s.cfg.System || from.SystemPriority != s.cfg.SystemPriority || from.At > now {
		return 0
	}
	resumed := 0
	for _, saved := range from.Ports {
		if p := find(s.ports, saved.Number); p != nil && s.resume(p, saved) {
			resumed++
		}
	}
	if resumed > 0 {
		s.active, s.carrier = from.Active, from.Carrier
		s.silent, s.fallbackEnds = from.Silent, from.FallbackEnds
		for _, p := range s.ports {
			s.refresh(p)
			p.receives, p.sends = s.mayReceive(p), s.maySend(p)
		}
	}
	s.dirty = true
	return resumed
}

func (s *System) resume(p *port, saved SavedPort) bool {
	st := saved.State
	q := port{PortState: st}
	if st.Fallback && st.Link.Up && s.now < saved.Spoken.Add(LongTimeoutTime) {
		p.PortState = st
		return true
	}
	if st.Rx != RxCurrent || st.Begin || !st.Link.Up || saved.Spoken == agg.Never || s.now >= saved.Spoken.Add(q.partnerTimeout()) {
		return false
	}
	p.PortState = st
	if p.Removal { // who wanted it is gone, and the port is still there
		s.undrain(p)
	}
	p.CurrentWhile = s.now.Add(s.ownTimeout())
	p.Spoken = max(p.Spoken, saved.Spoken)
	p.NTT = true // the partner hears the same as ever, and soon
	return true
}
