package lacp

import (
	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire"
	"github.com/yokelag/yoke/wire/slow"
)

// transmit runs the Transmit machine (clause 6.4.16): one LACPDU for all that there is
// to say, three within a second.
func (s *System) transmit(p *port) {
	if !p.NTT && (!p.Reply || s.holding(p) || s.before(p.replyAt())) {
		return
	}
	if p.Periodic == NoPeriodic || !p.speaks() {
		s.count(TX03)
		p.NTT, p.Reply = false, false
		return
	}
	if s.before(p.sendAt()) {
		s.count(TX02)
		p.counters.TxHeld++
		return
	}
	s.count(TX01)
	s.send(p)
}

// sendAt is when the port may send next.
func (p *port) sendAt() agg.Instant {
	if plantedLimit {
		return p.ResendAt
	}
	at := p.ResendAt
	if oldest := p.Burst[0]; oldest != agg.Never {
		at = max(at, oldest.Add(FastPeriodicTime))
	}
	if oldest := p.Sent[1]; oldest != agg.Never {
		at = max(at, oldest.Add(FastPeriodicTime))
	}
	return at
}

// replyAt is when a reply may be sent. What the partner said while our last LACPDU was on
// its way needs none.
func (p *port) replyAt() agg.Instant {
	if p.Spoken == agg.Never {
		return agg.Never
	}
	return p.Spoken.Add(crossingTime)
}

func (s *System) send(p *port) {
	if p.Spoken != agg.Never {
		p.counters.LongestGap = max(p.counters.LongestGap, int64(s.now.Sub(p.Spoken)))
	}
	copy(p.Sent[:], p.Sent[1:])
	p.SpokenBefore = p.Spoken
	p.Sent[TransmitLimit], p.Spoken = s.now, s.now
	copy(p.Burst[:], p.Burst[1:])
	p.Burst[burstSize-1] = s.now
	p.NTT, p.Reply, p.ResendAt = false, false, agg.Never
	p.counters.TxLACPDU++
	pdu := slow.LACPDU{Version: slow.Version1, Actor: p.Actor, Partner: p.Partner, MaxDelay: s.cfg.MaxDelay}
	pdu.Put(s.envelope(p, &p.pdu))
	s.out.Send = append(s.out.Send, Send{Port: p.cfg.Number, Frame: p.pdu[:], LACPDU: true})
}

// envelope writes the header and returns the room behind it.
func (s *System) envelope(p *port, frame *[slow.FrameLen]byte) []byte {
	dst := s.cfg.destination()
	copy(frame[:], dst[:])
	copy(frame[6:], p.cfg.MAC[:])
	frame[12], frame[13] = byte(wire.TypeSlow>>8), byte(wire.TypeSlow&0xff)
	return frame[wire.EthernetLen:]
}

// newWindow begins the limit anew when a link comes back: what was said on it before was
// said to nobody, and a port that has spent its three must not wait for a second. Burst
// keeps a link that flaps within the ten slow frames a second of 802.3 clause 57A.2.
// WaitStrict keeps to the letter of clause 6.4.16.
func (s *System) newWindow(p *port) {
	if s.cfg.Wait != WaitStrict {
		clear(p.Sent[:])
	}
}

// sendFailed gives a LACPDU back: it is still to be sent, was not heard, and took nothing
// of the limits.
func (s *System) sendFailed(p *port) {
	s.count(TX04)
	p.counters.TxFailed++
	if p.counters.TxLACPDU > 0 {
		p.counters.TxLACPDU--
	}
	p.Spoken = p.SpokenBefore
	copy(p.Sent[1:], p.Sent[:TransmitLimit])
	copy(p.Burst[1:], p.Burst[:burstSize-1])
	p.NTT, p.ResendAt = true, s.now.Add(resendAfter)
}
