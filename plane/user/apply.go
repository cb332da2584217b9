package user

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/plane/port"
)

// Apply makes the plane do exactly plan. Ports are taken before the plan is published
// and given back after it, so that every frame meets either the old plan or the new
// one, with all its ports.
func (p *Plane) Apply(ctx context.Context, plan agg.Plan) error {
	if err := p.apply(ctx, plan); err != nil {
		return fmt.Errorf("apply plan %d to %s: %w", plan.Generation, p.options.Name, err)
	}
	return nil
}

func (p *Plane) apply(ctx context.Context, plan agg.Plan) error {
	if err := p.check(plan); err != nil {
		return err
	}
	p.followNames(plan)
	links, err := p.takeAll(ctx, plan)
	if err != nil {
		return err
	}
	if err := p.setDevice(plan); err != nil {
		return errors.Join(err, p.closeNew(links))
	}
	old := p.links
	if before := p.table.Load(); !before.same(plan, links) {
		p.table.Store(compile(plan, links, before, agg.Instant(bootclock.Now())))
		p.links = links
		p.settle()
	}
	p.closeOld(old)
	err = p.fenceAgain(old)
	p.giveBackOthers(ctx, plan)
	return errors.Join(err, p.keeper.Promiscuous(plan, p.promisc), p.keeper.SlowProtocols(plan))
}

// followNames keeps the socket and the counters of a port whose interface has another name
// now; the journal gets the name when the port is taken again.
func (p *Plane) followNames(plan agg.Plan) {
	for _, pp := range plan.Ports {
		for name, l := range p.links {
			if p.links[pp.Name] != nil || l.ifindex != pp.Index || plan.PortByName(name) != agg.NoPort {
				continue
			}
			l.name.Store(&pp.Name)
			p.links = maps.Clone(p.links)
			p.links[pp.Name] = l
			delete(p.links, name)
			break
		}
	}
}

// check refuses plans that ask for what the plane does not do.
func (p *Plane) check(plan agg.Plan) error {
	if !slices.Contains(Capability().Selectors, plan.Select) {
		return &agg.Problem{
			Code: "not-supported", Object: "plane user", Rule: "does not choose ports by " + plan.Select.String(),
			Remedy: "`yoke up " + p.options.Name + " plane=ebpf`",
		}
	}
	if len(plan.Ports) > agg.MaxPorts {
		return fmt.Errorf("%d ports, at most %d", len(plan.Ports), agg.MaxPorts)
	}
	for i, pp := range plan.Ports {
		if plan.PortByName(pp.Name) != i {
			return fmt.Errorf("port %s is in the plan twice", pp.Name)
		}
		if pp.QueueID != 0 {
			return &agg.Problem{
				Code: "not-supported", Object: "plane user", Option: "queue_id", Value: fmt.Sprint(pp.QueueID),
				Rule:   "does not see which queue a frame was given",
				Remedy: "leave queue_id out, or `yoke up " + p.options.Name + " plane=ebpf`",
			}
		}
	}
	for _, c := range plan.Table {
		if c.First >= len(plan.Ports) || c.Second >= len(plan.Ports) {
			return fmt.Errorf("the table names port %d of %d", max(c.First, c.Second), len(plan.Ports))
		}
	}
	if plan.Multicast >= len(plan.Ports) {
		return fmt.Errorf("multicast goes to port %d of %d", plan.Multicast, len(plan.Ports))
	}
	return nil
}

// takeAll takes every port of the plan that is present, and returns their links: those
// in use already, and fresh ones.
func (p *Plane) takeAll(ctx context.Context, plan agg.Plan) (map[string]*link, error) {
	links := map[string]*link{}
	for _, pp := range plan.Ports {
		if pp.Index == 0 {
			continue
		}
		l, err := p.take(ctx, plan, pp)
		if err != nil {
			return nil, errors.Join(err, p.closeNew(links))
		}
		links[pp.Name] = l
	}
	return links, nil
}

func (p *Plane) take(ctx context.Context, plan agg.Plan, pp agg.PlanPort) (*link, error) {
	ifindex, err := p.keeper.Take(ctx, pp.Name, port.Want{MAC: plan.PortMAC(plan.PortByName(pp.Name)), MTU: plan.MTU})
	if err != nil {
		return nil, err
	}
	if l := p.links[pp.Name]; l != nil && l.ifindex == ifindex {
		return l, nil
	}
	if err := p.fence(ifindex); err != nil {
		return nil, err
	}
	s, err := openSocket(ifindex, p.options)
	if err != nil {
		return nil, fmt.Errorf("port %s: %w", pp.Name, err)
	}
	l := &link{socket: s, sentBefore: sent(ifindex)}
	l.own.last, _ = clsactDrops(ifindex) // as if it were new where nobody can tell
	l.name.Store(&pp.Name)
	return l, nil
}

// closeNew closes the sockets of links that were opened for a plan that failed. The
// ports stay taken: the plan will be asked for again, or a later one gives them back.
func (p *Plane) closeNew(links map[string]*link) error {
	var errs []error
	for name, l := range links {
		if p.links[name] != l {
			errs = append(errs, l.close())
		}
	}
	return errors.Join(errs...)
}

// setDevice sets what differs from what was set last.
func (p *Plane) setDevice(plan agg.Plan) error {
	want := settings{known: true, carrier: plan.Carrier && !plan.Blocked, mac: plan.MAC, mtu: plan.MTU}
	// The same plan once more is asked for where something was found to be otherwise.
	before := p.table.Load()
	anew := before != nil && before.plan.Generation == plan.Generation
	if p.done == want && !anew {
		return nil
	}
	if !want.mac.IsZero() && (anew || p.done.mac != want.mac) {
		if err := p.device.SetMAC(want.mac); err != nil {
			return err
		}
	}
	if want.mtu != 0 && (anew || p.done.mtu != want.mtu) {
		if err := p.device.SetMTU(want.mtu); err != nil {
			return err
		}
	}
	if !p.done.known || p.done.carrier != want.carrier {
		if err := p.device.SetCarrier(want.carrier); err != nil {
			return err
		}
	}
	p.done = want
	return nil
}

// closeOld closes what the published plan does not use any more, in the background: for
// each ring and socket the kernel waits for a grace period, and nobody else has to.
func (p *Plane) closeOld(old map[string]*link) {
	for name, l := range old {
		if p.links[name] != l {
			p.closing.Go(func() { p.noteClosed(l.close()) })
		}
	}
}

// noteClosed keeps what went wrong for Close.
func (p *Plane) noteClosed(err error) {
	p.closedMu.Lock()
	defer p.closedMu.Unlock()
	p.closedErr = errors.Join(p.closedErr, err)
}

// giveBackOthers gives back ports that are not in the plan. Observe reports those that
// cannot be given back: the plan is in force without.
func (p *Plane) giveBackOthers(ctx context.Context, plan agg.Plan) {
	p.unreleased = nil
	for _, r := range p.keeper.Taken() {
		if plan.PortByName(r.Name) != agg.NoPort {
			continue
		}
		if err := p.giveBack(ctx, r.Name, r.Index); err != nil {
			p.unreleased = append(p.unreleased, strings.Split(err.Error(), "\n")...)
		}
	}
}

// giveBack takes the filters off and restores the port. Its device may be gone.
func (p *Plane) giveBack(ctx context.Context, name string, ifindex int) error {
	var errs []error
	if p.fenced {
		errs = append(errs, removeFence(ifindex, true), removeFence(ifindex, false))
	}
	return errors.Join(append(errs, p.keeper.Release(ctx, name))...)
}
