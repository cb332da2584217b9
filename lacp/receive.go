package lacp

import (
	"errors"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire"
	"github.com/yokelag/yoke/wire/slow"
)

func dropOf(err error) (wire.Drop, bool) { return errors.AsType[wire.Drop](err) }

// receive runs the Receive machine (clause 6.4.12, figure 6-18) without a LACPDU.
func (s *System) receive(p *port) {
	switch {
	case p.Begin:
		p.Begin = false
		s.refresh(p)
		s.enterRx(p, RX01, RxInitialize)
		s.beginMux(p)
		s.enterRx(p, RX02, RxPortDisabled)
	case !p.Link.Up && p.Rx != RxPortDisabled:
		s.enterRx(p, RX03, RxPortDisabled)
	case p.Rx == RxLACPDisabled && p.enabled():
		s.enterRx(p, RX07, RxPortDisabled)
	case p.Rx > RxLACPDisabled && !p.enabled():
		s.enterRx(p, RX14, RxPortDisabled)
	}
	switch p.Rx {
	case RxPortDisabled:
		s.leavePortDisabled(p)
	case RxExpired:
		if s.ranOut(p.CurrentWhile) {
			s.enterRx(p, RX09, RxDefaulted)
		} else if s.ranOut(p.RetryAt) {
			p.RetryAt, p.NTT = agg.Never, true
		}
	case RxCurrent:
		if s.ranOut(p.CurrentWhile) {
			p.counters.Expiries++
			s.enterRx(p, RX13, RxExpired)
		}
	case RxInitialize, RxLACPDisabled, RxDefaulted: // no time runs
	}
}

func (s *System) leavePortDisabled(p *port) {
	switch {
	case p.Moved:
		s.enterRx(p, RX04, RxInitialize)
		s.enterRx(p, RX02, RxPortDisabled)
	case p.Link.Up && p.enabled():
		s.enterRx(p, RX05, RxExpired)
	case p.Link.Up:
		s.enterRx(p, RX06, RxLACPDisabled)
	}
}

// enterRx makes a transition and does the actions of the state entered.
func (s *System) enterRx(p *port, r Row, to RxState) {
	s.move(p, r, p.Rx.String(), to.String())
	p.Rx = to
	switch to {
	case RxInitialize:
		p.Selected = Unselected
		s.recordDefault(p)
		p.setActor(slow.Expired, false)
		p.Moved = false
	case RxPortDisabled:
		p.setPartnerSync(s.now, false)
		p.CurrentWhile, p.RetryAt = agg.Never, s.retryOf(p)
	case RxLACPDisabled:
		p.Selected = Unselected
		s.recordDefault(p)
		p.Partner.State = p.Partner.State.With(slow.Aggregation, false)
		p.setActor(slow.Expired, false)
		p.RetryAt = agg.Never
	case RxExpired:
		p.setPartnerSync(s.now, false)
		p.Partner.State |= slow.Timeout
		p.CurrentWhile = s.now.Add(ShortTimeoutTime)
		p.setActor(slow.Expired, true)
		p.NTT = true // 802.1AX-2014 Cor 1
	case RxDefaulted:
		s.updateDefaultSelected(p)
		s.recordDefault(p)
		p.setActor(slow.Expired, false)
		p.CurrentWhile, p.RetryAt = agg.Never, agg.Never
	case RxCurrent: // the PDU that leads here says the rest
	}
}

// retryOf keeps the retry that a link that has come up this instant was given.
func (s *System) retryOf(p *port) agg.Instant {
	if p.Link.Up {
		return p.RetryAt
	}
	return agg.Never
}

// receivePDU runs the Receive machine with a LACPDU.
func (s *System) receivePDU(p *port, pdu *slow.LACPDU) {
	if p.Rx == RxInitialize || p.Rx == RxPortDisabled || p.Rx == RxLACPDisabled {
		s.dirty = true
		s.receive(p)
	}
	if p.Rx < RxExpired {
		return
	}
	before := p.Partner
	s.updateSelected(p, pdu)
	if !s.repeated(p, pdu) {
		s.updateNTT(p, pdu)
	}
	s.recordPDU(p, pdu)
	s.askBack(p, pdu)
	p.PartnerSaid, p.View = pdu.Actor.State, pdu.Partner
	p.CurrentWhile = s.now.Add(s.ownTimeout())
	p.setActor(slow.Expired, false)
	if s.cfg.Short && p.Heard != agg.Never && s.now.Sub(p.Heard) > lateGap {
		p.counters.RxLate++
	}
	p.Heard, p.RetryAt = s.now, agg.Never
	switch p.Rx {
	case RxExpired:
		s.toCurrent(p, RX08)
	case RxDefaulted:
		s.toCurrent(p, RX10)
	default:
		s.count(RX12)
	}
	if p.Partner != before {
		s.dirty = true
	}
	s.portMoved(p)
}

// askBack follows what the partner asks for of itself. One that knows that it is asked for
// a LACPDU every second may do no more than ask back, and two such would never end it.
func (s *System) askBack(p *port, pdu *slow.LACPDU) {
	ask := p.AskBack
	switch {
	case !s.cfg.AskBack || !pdu.Actor.State.Has(slow.Timeout):
		ask = false
	case pdu.Partner.SameIDs(p.Actor) && !pdu.Partner.State.Has(slow.Timeout):
		ask = true
	}
	if ask != p.AskBack {
		p.AskBack = ask
		s.refresh(p)
	}
}

// repeated reports a LACPDU that says what the one just before said: a copy made on the
// way. What it asks for has been answered.
func (s *System) repeated(p *port, pdu *slow.LACPDU) bool {
	return p.Heard != agg.Never && s.now.Sub(p.Heard) < copyTime && p.Rx == RxCurrent &&
		pdu.Partner == p.View && pdu.Actor.State == p.PartnerSaid && pdu.Actor.SameIDs(p.Partner)
}

func (s *System) toCurrent(p *port, r Row) {
	p.HurryUntil = s.now.Add(hurryTime)
	s.move(p, r, p.Rx.String(), RxCurrent.String())
	p.Rx = RxCurrent
}

// portMoved finds ports that are down and remember the partner port that speaks here:
// the cable has been moved (clause 6.4.8, port_moved). A port may go down after the
// partner has been heard elsewhere, so every LACPDU counts.
func (s *System) portMoved(here *port) {
	for _, p := range s.ports {
		if !plantedMoved && p != here && p.Rx == RxPortDisabled && p.known() &&
			p.Partner.System == here.Partner.System && p.Partner.Port == here.Partner.Port {
			p.Moved, s.dirty = true, true
		}
	}
}
