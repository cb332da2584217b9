package lacptest

import (
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/wire/slow"
)

// Style is a way in which implementations in use simplify LACP.
type Style string

// The styles: of teamd, which takes the partner's word for sync and answers every
// difference, and of Open vSwitch, which says collecting and distributing as soon as it
// has heard anybody. Neither limits what it sends, neither waits.
const (
	Teamd       Style = "teamd"
	OpenVSwitch Style = "ovs"
)

// Peer is a model of such an implementation with one port, number 1. It is a partner for
// tests and no LACP.
type Peer struct {
	style          Style
	cfg            lacp.Config
	up             bool
	actor, partner slow.Info
	now            agg.Instant
	expires, next  agg.Instant
	out            lacp.Output
}

// NewPeer returns a Peer.
func NewPeer(style Style, cfg lacp.Config) *Peer {
	p := &Peer{style: style, cfg: cfg}
	p.actor = slow.Info{SystemPriority: cfg.SystemPriority, System: slow.Addr(cfg.System), Key: 1, PortPriority: 255, Port: 1}
	p.derive(slow.Defaulted)
	return p
}

// derive makes the state from what is known; extra is Defaulted, Expired or nothing.
func (p *Peer) derive(extra slow.State) {
	s := slow.Activity | slow.Aggregation | extra
	s = s.With(slow.Timeout, p.cfg.Short)
	heard := extra != slow.Defaulted
	switch p.style {
	case OpenVSwitch:
		s = s.With(slow.Synchronization|slow.Collecting|slow.Distributing, heard)
	default:
		s = s.With(slow.Synchronization, heard)
		s = s.With(slow.Collecting|slow.Distributing, heard && p.partner.State.Has(slow.Synchronization))
	}
	p.actor.State = s
}

// Step implements Machine.
func (p *Peer) Step(in lacp.Input) lacp.Output {
	p.now, p.out = max(p.now, in.At), lacp.Output{}
	switch in.Kind {
	case lacp.LinkChanged:
		p.up = in.Link.Up
		p.expires, p.next, p.partner = agg.Never, agg.Never, slow.Info{}
		if p.up {
			p.derive(slow.Defaulted)
			p.send()
		}
	case lacp.Received:
		if f, err := slow.Parse(in.Frame, slow.Addr{}); err == nil && p.up && f.Subtype == slow.SubtypeLACP {
			if pdu, err := slow.ParseLACPDU(f.Payload); err == nil {
				p.hear(&pdu)
			}
		}
	case lacp.Tick:
		p.tick()
	default: // what only our own machines are told
	}
	return p.out
}

func (p *Peer) hear(pdu *slow.LACPDU) {
	p.partner = pdu.Actor
	p.derive(0)
	timeout := 3 * lacp.SlowPeriodicTime
	if p.cfg.Short {
		timeout = lacp.ShortTimeoutTime
	}
	p.expires = p.now.Add(timeout)
	differs := pdu.Partner != p.actor
	if p.style == OpenVSwitch {
		const bits = slow.Activity | slow.Timeout | slow.Synchronization | slow.Aggregation
		differs = !pdu.Partner.SameIDs(p.actor) || (pdu.Partner.State^p.actor.State)&bits != 0
	}
	if differs {
		p.send()
	}
}

func (p *Peer) tick() {
	if p.expires != agg.Never && p.now >= p.expires {
		if p.actor.State.Has(slow.Expired) {
			p.expires, p.partner = agg.Never, slow.Info{State: slow.Timeout}
			p.derive(slow.Defaulted)
		} else {
			p.expires = p.now.Add(lacp.ShortTimeoutTime)
			p.partner.State = p.partner.State.With(slow.Synchronization, false) | slow.Timeout
			p.derive(slow.Expired)
		}
		p.send()
	}
	if p.up && p.next != agg.Never && p.now >= p.next {
		p.send()
	}
}

func (p *Peer) send() {
	pdu := slow.LACPDU{Version: slow.Version1, Actor: p.actor, Partner: p.partner}
	p.out.Send = append(p.out.Send, lacp.Send{Port: 1, LACPDU: true, Frame: pdu.AppendFrame(nil, slow.Group(), slow.Addr(p.cfg.System))})
	period := lacp.SlowPeriodicTime
	if p.partner.State.Has(slow.Timeout) || p.actor.State.Has(slow.Defaulted) {
		period = lacp.FastPeriodicTime
	}
	p.next = p.now.Add(period)
}

// Deadline implements Machine.
func (p *Peer) Deadline() agg.Instant { return agg.Earliest(p.expires, p.next) }

// Port implements Subject.
func (p *Peer) Port(uint16) (lacp.PortView, bool) {
	open := p.up && p.actor.State.Has(slow.Distributing)
	return lacp.PortView{Number: 1, Sends: open, Receives: open, Actor: lacp.End{State: p.actor.State}, Partner: lacp.End{State: p.partner.State}}, true
}

// Gate implements Subject.
func (p *Peer) Gate(uint16) lacp.Gate { return lacp.Gate{Detail: "a model of " + string(p.style)} }

// Carrier implements Subject.
func (p *Peer) Carrier() bool { return p.up && p.actor.State.Has(slow.Distributing) }

// Save implements Subject: a Peer forgets.
func (p *Peer) Save() lacp.Saved { return lacp.Saved{} }

// Restore implements Subject.
func (p *Peer) Restore(lacp.Saved, agg.Instant) int { return 0 }

// slotted returns how long a frame waits for the sender's next slot.
func (n *Net) slotted(slot time.Duration) time.Duration {
	if slot == 0 {
		return 0
	}
	past := n.Now.Sub(Beginning) % slot
	return (slot - past) % slot
}
