package ebpf

import (
	"errors"

	"github.com/yokelag/yoke/agg"
)

// mend puts right what others may have done to the device and the hooks since the last
// look: the device may be in another namespace, where the fast path is dead, or back;
// programs of ours may have been taken off, or others put before them.
func (p *Plane) mend(d agg.DeviceFacts, s sight) error {
	if !d.Present {
		return nil
	}
	if err := p.follow(d); err != nil {
		return err
	}
	var errs []error
	if hop := hopHook(p.device.Inner); !p.attach.attached(hop, s) {
		errs = append(errs, p.hookHop())
	}
	if entry := entryHook(p.device.Outer); !d.Elsewhere && !p.attach.attached(entry, s) {
		errs = append(errs, p.hookEntry(), p.republish())
	}
	for name, ifindex := range p.hooked {
		errs = append(errs, p.mendPort(p.places[name], ifindex, s))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return p.improve(s)
}

// follow acts on a move of the device to another namespace, or back.
func (p *Plane) follow(d agg.DeviceFacts) error {
	if !d.Present || d.Elsewhere == p.elsewhere {
		return nil
	}
	p.elsewhere = d.Elsewhere
	return p.republish()
}

func (p *Plane) mendPort(place, ifindex int, s sight) error {
	if p.attach.attached(guardHook(place, ifindex), s) && p.attach.attached(rxHook(place, ifindex), s) {
		return nil
	}
	err := p.hookPort(place, ifindex)
	if isGone(err) { // the engine will hear of it and publish a plan without the port
		return nil
	}
	return err
}

// republish puts the plan in force again with the device as it is now.
func (p *Plane) republish() error {
	e, err := p.publish.inForce()
	if err != nil || e.PublishedAt == 0 {
		return err
	}
	return p.publish.publish(e.route(p.device.Inner, p.device.Outer, p.elsewhere))
}
