package lacp

import (
	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire/slow"
)

// beginMux is BEGIN of the Mux machine.
func (s *System) beginMux(p *port) { s.enterMux(p, MX01, MuxDetached) }

// mux runs the Mux machine one transition (clause 6.4.15): figure 6-21 for independent
// control, figure 6-22 for coupled control. A change of control takes effect by way of
// ATTACHED.
func (s *System) mux(p *port) {
	selected, inSync := p.Selected == SelectedPort, p.inSync()
	switch p.Mux {
	case MuxDetached:
		if p.Selected != Unselected {
			s.enterMux(p, MX02, MuxWaiting)
		}
	case MuxWaiting:
		s.muxWaiting(p)
	case MuxAttached:
		switch {
		case !selected:
			s.enterMux(p, MX07, MuxDetached)
		case inSync && s.cfg.Coupled:
			s.enterMux(p, MX05, MuxCollectingDistributing)
		case inSync:
			s.enterMux(p, MX06, MuxCollecting)
		}
	case MuxCollecting:
		switch {
		case !selected || !inSync || s.cfg.Coupled:
			s.enterMux(p, MX09, MuxAttached)
		case p.Partner.State.Has(slow.Collecting) && p.Drain == DrainNone:
			s.enterMux(p, MX08, MuxDistributing)
		}
	case MuxDistributing:
		if !selected || !inSync || !p.Partner.State.Has(slow.Collecting) || p.Drain != DrainNone || s.cfg.Coupled {
			s.enterMux(p, MX10, MuxCollecting)
		}
	case MuxCollectingDistributing:
		s.muxCoupled(p, selected && inSync && s.cfg.Coupled)
	}
}

func (s *System) muxWaiting(p *port) {
	switch {
	case p.Selected == Unselected:
		s.enterMux(p, MX04, MuxDetached)
	case p.Selected == SelectedPort && s.ready(p.Aggregator):
		s.enterMux(p, MX03, MuxAttached)
	}
}

// muxCoupled leaves COLLECTING_DISTRIBUTING, or closes the sender in it: a partner that
// has stopped collecting hears nothing, though the standard's coupled control would go
// on sending until it is defaulted.
func (s *System) muxCoupled(p *port, stay bool) {
	open := !p.Deaf && p.Drain == DrainNone
	switch sends := p.Actor.State.Has(slow.Distributing); {
	case !stay:
		s.enterMux(p, MX11, MuxAttached)
	case sends && !open:
		s.move(p, MX12, "sender open", "sender closed")
		p.setActor(slow.Distributing, false)
		p.NTT = true
	case !sends && open:
		s.move(p, MX13, "sender closed", "sender open")
		p.setActor(slow.Distributing, true)
		p.NTT = true
	}
}

// enterMux makes a transition and does the actions of the state entered.
func (s *System) enterMux(p *port, r Row, to MuxState) {
	s.move(p, r, p.Mux.String(), to.String())
	p.Mux = to
	p.WaitSince = agg.Never
	if to == MuxCollecting || to == MuxCollectingDistributing {
		p.HurryUntil = s.now.Add(hurryTime)
	}
	switch to {
	case MuxDetached:
		p.setActor(slow.Synchronization|slow.Collecting|slow.Distributing, false)
		p.NTT = true
		if p.Selected == Unselected {
			p.Aggregator, p.Joined = 0, agg.Never
		}
	case MuxWaiting:
		p.setActor(slow.Synchronization, false)
		p.WaitSince = s.now
	case MuxAttached:
		p.setActor(slow.Synchronization, true)
		p.setActor(slow.Collecting|slow.Distributing, false)
		p.NTT = true
	case MuxCollecting:
		p.setActor(slow.Collecting, true)
		p.setActor(slow.Distributing, false)
		p.NTT = true
	case MuxDistributing:
		p.setActor(slow.Distributing, true)
	case MuxCollectingDistributing:
		p.setActor(slow.Collecting, true)
		p.setActor(slow.Distributing, !p.Deaf && p.Drain == DrainNone)
		p.NTT = true
	}
}
