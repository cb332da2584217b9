package lacp

import (
	"github.com/yokelag/yoke/wire/slow"
)

// receivedMarker answers a Marker (clause 6.5.4.2), and takes a response to our own. A
// response is never answered: two systems that did would never stop.
func (s *System) receivedMarker(p *port, payload []byte) {
	m, err := slow.ParseMarker(payload)
	if err != nil {
		p.counters.drop(counterOf(err))
		return
	}
	if m.Type == slow.MarkerResponse {
		s.flushed(p, &m)
		return
	}
	p.counters.RxMarker++
	if !p.Markers.take(s.now) {
		p.counters.RxLimited++
		return
	}
	s.count(MK01)
	m.Type = slow.MarkerResponse
	m.Put(s.envelope(p, &p.response))
	p.counters.TxMarkerResponse++
	s.out.Send = append(s.out.Send, Send{Port: p.cfg.Number, Frame: p.response[:]})
	s.count(MK02)
}

// flushed: what was sent before the marker has arrived.
func (s *System) flushed(p *port, m *slow.Marker) {
	p.counters.RxMarkerResponse++
	ours := m.Port == p.cfg.Number && m.System == slow.Addr(s.cfg.System) && m.Transaction == p.Transaction
	if p.Drain != DrainFlush || p.MarkerDue || !ours {
		p.counters.RxUnasked++
		return
	}
	s.count(MK03)
	p.Flushed, s.dirty = true, true
}

// requestMarker sends the marker of a drain that has begun, behind the data.
func (s *System) requestMarker(p *port) {
	if !p.MarkerDue || !p.speaks() {
		return
	}
	p.MarkerDue = false
	p.Transaction++
	m := slow.Marker{Version: slow.Version1, Type: slow.MarkerInformation, Port: p.cfg.Number, System: slow.Addr(s.cfg.System), Transaction: p.Transaction}
	m.Put(s.envelope(p, &p.request))
	p.counters.TxMarker++
	s.out.Send = append(s.out.Send, Send{Port: p.cfg.Number, Frame: p.request[:], Behind: true})
}
