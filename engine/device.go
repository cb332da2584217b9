package engine

import (
	"cmp"
	"context"
	"fmt"

	"github.com/yokelag/yoke/agg"
)

// deviceKind is the kind of events about the aggregate's own device.
const deviceKind = "device"

// watchDevice acts on what somebody has done to the aggregate's own device since it was
// looked at last, as bonding would. The bool tells that there is nothing more to compare:
// the device is deleted, or the plan has changed.
func (e *Engine) watchDevice(ctx context.Context, f agg.Facts) bool {
	was := e.plane.device
	e.plane.device = f.Device
	switch {
	case !f.Device.Present: // and it was there when the plan was applied
		return e.deviceGone(ctx, was)
	case !was.Present:
		return false
	}
	e.noteAdmin(ctx, was)
	e.noteMove(was)
	e.noteName(was)
	return e.followDevice(ctx, was, f)
}

// expectDevice notes what a plan that was applied has made of the device, so that what
// somebody changes before the first look at it is seen too.
func (p *planeState) expectDevice(plan agg.Plan) {
	if !plan.MAC.IsZero() {
		p.device.MAC = plan.MAC
	}
	if plan.MTU != 0 {
		p.device.MTU = plan.MTU
	}
}

// deviceGone has the aggregate taken apart. A device that is just being moved may seem
// gone for a moment, so it is looked for again.
func (e *Engine) deviceGone(ctx context.Context, was agg.DeviceFacts) bool {
	if e.w.Deleted == nil {
		return false
	}
	again, err := e.observe(ctx)
	if err != nil || again.Device.Present {
		e.plane.device = was
		return true
	}
	e.record(agg.Event{Kind: deviceKind, Cause: "deleted", From: "present", To: "absent",
		Text: e.name + " was deleted; the aggregate is taken apart and its ports are given back"})
	e.w.Deleted()
	return true
}

// noteAdmin records that the device was set up or down. When it is up again the network
// is told where it is: a switch may have forgotten it meanwhile.
func (e *Engine) noteAdmin(ctx context.Context, was agg.DeviceFacts) {
	up := e.plane.device.AdminUp
	if was.AdminUp == up {
		return
	}
	e.record(agg.Event{Kind: deviceKind, Cause: upDown(up, "admin"), From: upDown(was.AdminUp, "admin"), To: upDown(up, "admin"),
		Text: e.name + " was set " + upDown(up, "")})
	if up {
		e.announceMove(mark{have: true})
		e.record(e.announceDue(ctx)...)
	}
	if e.noteGates() {
		e.save()
	}
}

// noteMove records that the device went to another network namespace, or came back.
func (e *Engine) noteMove(was agg.DeviceFacts) {
	if was.Elsewhere == e.plane.device.Elsewhere {
		return
	}
	cause, text := "moved", " was moved to another network namespace"
	if !e.plane.device.Elsewhere {
		cause, text = "returned", " is back in the network namespace of its ports"
	}
	e.record(agg.Event{Kind: deviceKind, Cause: cause, Text: e.name + text})
}

// noteName records that the device got another name, and has the aggregate follow it. In
// another namespace it may have any: there the aggregate keeps its own.
func (e *Engine) noteName(was agg.DeviceFacts) {
	p, now := &e.plane, e.plane.device.Name
	follow := e.w.Renamed != nil && !p.device.Elsewhere && now != "" && now != e.name && now != p.called
	if !follow && (was.Name == "" || now == was.Name) {
		return
	}
	from := cmp.Or(was.Name, e.name)
	if from == now {
		from = e.name // nobody looked when it happened
	}
	e.record(agg.Event{Kind: deviceKind, Cause: "renamed", From: from, To: now,
		Text: fmt.Sprintf("the device of %s was renamed from %s to %s", e.name, from, now)})
	if follow {
		p.called = now
		e.save()
		e.w.Renamed(now)
	}
}

// followDevice takes an address or an MTU that somebody gave the device as that of the
// aggregate, or puts the earlier one back where a port cannot have it.
func (e *Engine) followDevice(ctx context.Context, was agg.DeviceFacts, f agg.Facts) bool {
	plan, now := e.plane.published, f.Device
	if f.Published == nil || !f.Published.Equal(plan) {
		return false
	}
	followed := false
	if now.MTU != was.MTU && was.MTU == plan.MTU {
		e.changedBySomebody("mtu", fmt.Sprint(was.MTU), fmt.Sprint(now.MTU), fmt.Sprintf("the MTU of %s was set to %d bytes", e.name, now.MTU))
		e.followMTU(ctx, now.MTU)
		followed = true
	}
	// With fail_over_mac=active the address is the active port's and nobody else's.
	if now.MAC != was.MAC && was.MAC == plan.MAC && e.config.FailOverMAC != agg.MACActive {
		e.changedBySomebody("address", was.MAC.String(), now.MAC.String(), fmt.Sprintf("the address of %s was set to %s", e.name, now.MAC))
		e.followMAC(ctx, now.MAC)
		followed = true
	}
	return followed
}

// followAway takes what somebody gave the device while no engine looked.
func (e *Engine) followAway(ctx context.Context) {
	d, plan := e.away, e.plane.published
	if !d.Present || !e.plane.have {
		return
	}
	if d.MTU != 0 && plan.MTU != 0 && d.MTU != plan.MTU {
		e.changedBySomebody("mtu", fmt.Sprint(plan.MTU), fmt.Sprint(d.MTU), fmt.Sprintf("the MTU of %s was set to %d bytes while no daemon ran", e.name, d.MTU))
		e.followMTU(ctx, d.MTU)
	}
	if !d.MAC.IsZero() && !plan.MAC.IsZero() && d.MAC != plan.MAC && e.config.FailOverMAC != agg.MACActive {
		e.changedBySomebody("address", plan.MAC.String(), d.MAC.String(), fmt.Sprintf("the address of %s was set to %s while no daemon ran", e.name, d.MAC))
		e.followMAC(ctx, d.MAC)
	}
}

func (e *Engine) changedBySomebody(cause, from, to, text string) {
	e.record(agg.Event{Kind: deviceKind, Cause: cause, From: from, To: to, Text: text})
}

// followMTU makes the MTU that of the spec and of all ports, or of none.
func (e *Engine) followMTU(ctx context.Context, mtu int) {
	spec := e.spec.Clone()
	err := spec.Options.Set(agg.OfAggregate, "mtu", fmt.Sprint(mtu))
	if err == nil {
		err = e.update(ctx, spec, nil) // which records why it was refused
	} else {
		e.record(agg.Event{Kind: "config", Cause: "refused", Text: "the change was refused and taken back: " + err.Error()})
	}
	if err != nil {
		e.restoreDevice(ctx)
	}
}

// followMAC gives the address to all ports, or takes it back from all.
func (e *Engine) followMAC(ctx context.Context, mac agg.MAC) {
	before, m := e.mind, e.mark()
	e.mac = mac
	if err := e.insist(ctx); err != nil {
		e.mind = before
		e.record(agg.Event{Kind: "config", Cause: "refused", Text: "the change was refused and taken back: " + err.Error()})
		e.restoreDevice(ctx)
		return
	}
	e.announceMove(mark{have: true}) // neighbours know the old one
	announced := e.announceDue(ctx)
	e.note(m)
	e.record(announced...)
	e.save()
}

// restoreDevice has the plan applied once more, which puts the device right.
func (e *Engine) restoreDevice(ctx context.Context) {
	e.plane.doubt, e.plane.failures = true, 0
	e.round(ctx)
}

// strayDevice says what somebody else has changed of the device that is not followed, or
// nothing. It counts only where the plane tells what the device has.
func (e *Engine) strayDevice(d agg.DeviceFacts) string {
	plan := e.plane.published
	switch {
	case !d.MAC.IsZero() && !plan.MAC.IsZero() && d.MAC != plan.MAC:
		return fmt.Sprintf("the device has the address %s", d.MAC)
	case d.MTU != 0 && plan.MTU != 0 && d.MTU != plan.MTU:
		return fmt.Sprintf("the device has an MTU of %d bytes", d.MTU)
	default:
		return ""
	}
}
