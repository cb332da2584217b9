package lacp

import (
	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire/slow"
)

// compared are the bits that update_NTT compares.
const compared = slow.Activity | slow.Timeout | slow.Synchronization | slow.Aggregation

// sameParty reports whether the five numbers and the Aggregation bit are equal.
func sameParty(a, b slow.Info) bool {
	return a.SameIDs(b) && (a.State^b.State)&slow.Aggregation == 0
}

// updateSelected is update_Selected (clause 6.4.9).
func (s *System) updateSelected(p *port, pdu *slow.LACPDU) {
	if sameParty(pdu.Actor, p.Partner) {
		return
	}
	if p.known() && pdu.Actor.System != p.Partner.System {
		p.counters.PartnerChanges++
		s.damp(p)
	}
	p.Recorded = s.now
	if p.Selected == Unselected {
		s.count(FN01)
		return
	}
	s.unselect(p, FN01)
}

// damp holds a port whose partner changes again and again: two systems are heard on
// one cable.
func (s *System) damp(p *port) {
	if p.DampSince == agg.Never || s.now.Sub(p.DampSince) > dampWindow {
		p.DampSince, p.DampCount = s.now, 0
	}
	if p.DampCount++; p.DampCount >= dampChanges {
		p.DampSince, p.DampUntil = agg.Never, s.now.Add(dampHold)
	}
}

// updateDefaultSelected is update_Default_Selected (clause 6.4.9).
func (s *System) updateDefaultSelected(p *port) {
	if sameParty(s.cfg.partnerAdmin(), p.Partner) {
		return
	}
	if p.Selected == Unselected {
		s.count(FN02)
		return
	}
	s.unselect(p, FN02)
}

// updateNTT is update_NTT (clause 6.4.9).
func (s *System) updateNTT(p *port, pdu *slow.LACPDU) {
	if pdu.Partner.SameIDs(p.Actor) && (pdu.Partner.State^p.Actor.State)&compared == 0 {
		p.Reply = false // it has heard in the meantime
		return
	}
	s.count(FN03)
	p.Reply = true
}

// recordPDU is recordPDU (clause 6.4.9).
func (s *System) recordPDU(p *port, pdu *slow.LACPDU) {
	was := p.Partner.State
	in := s.partnerInSync(p, pdu)
	collected := was.Has(slow.Collecting | slow.Synchronization)
	inSync := p.inSync()
	p.Partner = pdu.Actor
	p.Partner.State = p.Partner.State.With(slow.Synchronization, inSync)
	p.setPartnerSync(s.now, in)
	p.setActor(slow.Defaulted, false)
	switch collects := p.Partner.State.Has(slow.Collecting); {
	case collects:
		p.Deaf = false
	case collected:
		p.Deaf = true
	}
}

// partnerInSync is what recordPDU makes of the partner's Synchronization.
func (s *System) partnerInSync(p *port, pdu *slow.LACPDU) bool {
	maintained := pdu.Actor.State.Has(slow.Activity) ||
		p.Actor.State.Has(slow.Activity) && pdu.Partner.State.Has(slow.Activity)
	matched := plantedMatch || sameParty(pdu.Partner, p.Actor) || !pdu.Actor.State.Has(slow.Aggregation)
	switch {
	case !maintained:
		s.count(FN06)
		return false
	case !matched || !pdu.Actor.State.Has(slow.Synchronization):
		s.count(FN05)
		return false
	default:
		s.count(FN04)
		return true
	}
}

// recordDefault is recordDefault (clause 6.4.9).
func (s *System) recordDefault(p *port) {
	s.count(FN07)
	p.Partner = s.cfg.partnerAdmin()
	p.setActor(slow.Defaulted, true)
	p.Deaf = false
}
