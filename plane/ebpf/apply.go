package ebpf

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/plane/port"
)

// Apply makes the plane do exactly plan. With the same ports and settings as before it
// is two writes into maps.
func (p *Plane) Apply(ctx context.Context, plan agg.Plan) error {
	if err := p.refuse(plan); err != nil {
		return err
	}
	if err := p.apply(ctx, plan); err != nil {
		return fmt.Errorf("apply plan %d to %s: %w", plan.Generation, p.options.Name, err)
	}
	return nil
}

func (p *Plane) apply(ctx context.Context, plan agg.Plan) error {
	p.followNames(plan)
	next := p.places.with(plan)
	if next.full(plan) {
		return &agg.Problem{Code: "too-many-ports", Object: p.options.Name,
			Rule: fmt.Sprintf("has no room for more ports than %d, those being removed included", agg.MaxPorts)}
	}
	before := p.ports.Taken()
	got, err := p.takeNew(ctx, plan, next)
	if err == nil {
		err = p.putInForce(plan, next)
	}
	if err != nil {
		return errors.Join(err, p.giveBack(ctx, got, before, next))
	}
	p.places, p.done.generation = next, plan.Generation
	maps.Copy(p.hooked, got.hooked)
	return errors.Join(p.setCarrier(plan.Carrier), p.dropGone(ctx, plan), p.ports.Promiscuous(plan, p.promisc), p.ports.SlowProtocols(plan))
}

// putInForce publishes a plan whose ports are taken.
func (p *Plane) putInForce(plan agg.Plan, s places) error {
	if err := p.setDevice(plan); err != nil {
		return err
	}
	if err := p.ready(plan); err != nil {
		return err
	}
	e := encode(plan, agg.Instant(bootclock.Now()), s)
	return p.publish.publish(e.route(p.device.Inner, p.device.Outer, p.elsewhere))
}

// followNames keeps place and hooks of a port whose interface has another name now; the
// journal gets the name when the port is taken again.
func (p *Plane) followNames(plan agg.Plan) {
	for _, q := range plan.Ports {
		for name, ifindex := range p.hooked {
			_, known := p.places[q.Name]
			if known || ifindex != q.Index || plan.PortByName(name) != agg.NoPort {
				continue
			}
			p.places[q.Name], p.hooked[q.Name] = p.places[name], ifindex
			delete(p.places, name)
			delete(p.hooked, name)
			delete(p.done.ports, name)
			p.done.known = false // so that the port is taken again
			break
		}
	}
}

// gains are the ifindexes of ports that an Apply has taken and hooked, by name.
type gains struct{ taken, hooked map[string]int }

// takeNew takes the ports of plan that are not hooked, or under another ifindex, and
// returns those, also after an error.
func (p *Plane) takeNew(ctx context.Context, plan agg.Plan, s places) (gains, error) {
	got := gains{map[string]int{}, map[string]int{}}
	if p.done.ports == nil {
		p.done.ports = map[string]agg.MAC{}
	}
	// The same plan once more is asked for where something was found to be otherwise.
	again := p.done.generation == plan.Generation
	changed := !p.done.known || again || p.done.mtu != plan.MTU
	for i, q := range plan.Ports {
		mac := plan.PortMAC(i)
		hooked := p.hooked[q.Name] == q.Index
		if q.Index == 0 || hooked && !changed && p.done.ports[q.Name] == mac {
			continue
		}
		ifindex, err := p.ports.Take(ctx, q.Name, port.Want{MAC: mac, MTU: plan.MTU})
		if err != nil {
			return got, err
		}
		p.done.ports[q.Name] = mac
		if hooked && ifindex == q.Index {
			continue
		}
		got.taken[q.Name] = ifindex
		if ifindex != q.Index {
			return got, fmt.Errorf("port %s has ifindex %d now, not %d", q.Name, ifindex, q.Index)
		}
		got.hooked[q.Name] = ifindex
		if err := p.takeOver(s[q.Name], ifindex); err != nil {
			return got, err
		}
	}
	return got, nil
}

// takeOver hooks a port that was taken just now and notes where its own counter stands,
// less what was sent by the place before.
func (p *Plane) takeOver(place, ifindex int) error {
	p.hookedAt = bootclock.Now()
	if err := p.hookPort(place, ifindex); err != nil {
		return err
	}
	l, err := iface.ByIndex(ifindex, iface.Here)
	if err != nil {
		return err
	}
	s, err := p.portStats(place)
	if err != nil {
		return err
	}
	return p.memory.update(place, func(t *yokeTaken) {
		t.Ifindex, t.TxBase = uint32(ifindex), l.Statistics.TxPackets-s.TxFrames
	})
}

// giveBack undoes takeNew. A port that had a record before stays taken: the plan in force
// uses it, or that of the plane the aggregate comes from. In the first case its programs
// stay too, without which it may have been since adoption.
func (p *Plane) giveBack(ctx context.Context, got gains, before []port.Record, s places) error {
	had := func(ifindex int) bool {
		return slices.ContainsFunc(before, func(r port.Record) bool { return r.Index == ifindex })
	}
	var errs []error
	for name, ifindex := range got.hooked {
		if _, inForce := p.places[name]; inForce && had(ifindex) {
			p.hooked[name] = ifindex
			continue
		}
		errs = append(errs, p.unhookPort(s[name], ifindex))
	}
	for name, ifindex := range got.taken {
		if !had(ifindex) {
			errs = append(errs, p.ports.Release(ctx, name))
		}
	}
	return errors.Join(errs...)
}

// setDevice sets what frames depend on before they are steered by the new plan.
func (p *Plane) setDevice(plan agg.Plan) error {
	// The same plan once more is asked for where something was found to be otherwise.
	anew := !p.done.known || p.done.generation == plan.Generation
	if anew || p.done.mac != plan.MAC {
		if !plan.MAC.IsZero() {
			if err := p.device.SetMAC(plan.MAC); err != nil {
				return err
			}
		}
	}
	if anew || p.done.mtu != plan.MTU {
		if plan.MTU != 0 {
			if err := p.device.SetMTU(plan.MTU); err != nil {
				return err
			}
		}
	}
	p.done.mac, p.done.mtu = plan.MAC, plan.MTU
	return nil
}

// setCarrier comes after the plan, so that nobody sends into an old one.
func (p *Plane) setCarrier(up bool) error {
	if p.done.known && p.done.carrier == up {
		return nil
	}
	if err := p.device.SetCarrier(up); err != nil {
		return err
	}
	p.done.known, p.done.carrier = true, up
	return nil
}

// dropGone lets go of the ports that plan, which is in force, does not have: absent
// ones keep their journal and place, those that are no ports any more lose all.
func (p *Plane) dropGone(ctx context.Context, plan agg.Plan) error {
	var errs []error
	for _, port := range plan.Ports {
		if ifindex := p.hooked[port.Name]; ifindex != 0 && port.Index == 0 {
			errs = append(errs, p.unhookPort(p.places[port.Name], ifindex))
			delete(p.hooked, port.Name)
		}
	}
	for _, name := range p.places.gone(plan) {
		if ifindex := p.hooked[name]; ifindex != 0 {
			errs = append(errs, p.unhookPort(p.places[name], ifindex))
		}
		errs = append(errs, p.clearPlace(p.places[name]))
		delete(p.hooked, name)
		delete(p.places, name)
	}
	// Observe reports those that cannot be given back: the plan is in force without.
	p.unreleased = p.ports.LetGo(ctx, plan)
	return errors.Join(errs...)
}
