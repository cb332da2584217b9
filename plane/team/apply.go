package team

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/plane/port"
	"github.com/yokelag/yoke/team"
)

// Apply makes the driver do exactly plan. Ports that are new join first, then options
// change one by one, the ports to use before the ports not to use, and ports that are
// gone from the plan leave last.
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
	want, err := lay(plan)
	if err != nil {
		return err
	}
	carrier := plan.Carrier && !plan.Blocked
	if !carrier {
		if err := p.device.SetCarrier(false); err != nil {
			return err
		}
	}
	steps := []func() error{
		func() error { return p.setMode(ctx, want.mode, plan) },
		func() error { return p.setDevice(plan) },
		func() error { return p.joinAll(ctx, plan) },
		func() error { return p.keeper.SlowProtocols(plan) },
		func() error { return p.publish(plan, want) },
		func() error { return p.dropOld(ctx, plan) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	if carrier {
		return p.device.SetCarrier(true)
	}
	return nil
}

// setMode changes the mode where it differs, with no port in the device.
func (p *Plane) setMode(ctx context.Context, mode string, plan agg.Plan) error {
	have, err := p.device.Mode()
	if err != nil || have == mode {
		return err
	}
	if err := p.leaveAll(); err != nil {
		return err
	}
	p.release(ctx, plan)
	return p.device.SetMode(mode)
}

func (p *Plane) setDevice(plan agg.Plan) error {
	l, err := iface.ByIndex(p.device.Index(), iface.Here)
	if err != nil {
		return err
	}
	if !plan.MAC.IsZero() && net.HardwareAddr(plan.MAC[:]).String() != l.HardwareAddr.String() {
		if err := iface.Change(l.Index).MAC(plan.MAC[:]).Do(); err != nil {
			return err
		}
	}
	if plan.MTU != 0 && plan.MTU != l.MTU {
		return iface.Change(l.Index).MTU(plan.MTU).Do()
	}
	return nil
}

// joinAll takes every port of the plan that is present and makes it the driver's.
func (p *Plane) joinAll(ctx context.Context, plan agg.Plan) error {
	in, err := p.device.Ports()
	if err != nil {
		return err
	}
	for _, pp := range plan.Ports {
		if pp.Index == 0 {
			continue
		}
		joined := slices.ContainsFunc(in, func(x team.Port) bool { return x.Index == pp.Index })
		if err := p.join(ctx, plan, pp, joined); err != nil {
			return err
		}
	}
	return nil
}

func (p *Plane) join(ctx context.Context, plan agg.Plan, pp agg.PlanPort, joined bool) error {
	if joined && !p.taken(pp.Index) {
		return nil // whoever made the device took it; the driver knows what it was
	}
	want := port.Want{MAC: plan.MAC, MTU: plan.MTU}
	if !pp.MAC.IsZero() {
		want.MAC = pp.MAC
	}
	index, err := p.keeper.Take(ctx, pp.Name, want)
	if err != nil || joined {
		return err
	}
	if index != pp.Index {
		return fmt.Errorf("port %s has ifindex %d, the plan says %d", pp.Name, index, pp.Index)
	}
	base := readTraffic(index)
	// The driver takes interfaces that are down only, and sets them up itself.
	if err := iface.Change(index).Flag(unix.IFF_UP, false).Do(); err != nil {
		return err
	}
	if err := p.device.AddPort(index); err != nil {
		return errors.Join(err, iface.Change(index).Flag(unix.IFF_UP, true).Do())
	}
	p.note.Own.Base[index] = base
	return nil
}

func (p *Plane) taken(index int) bool {
	return slices.ContainsFunc(p.keeper.Taken(), func(r port.Record) bool { return r.Index == index })
}

// publish sets the options that differ, and notes the plan where anything is new.
func (p *Plane) publish(plan agg.Plan, want layout) error {
	have, err := p.device.Options()
	if err != nil {
		return err
	}
	differing := want.differing(have)
	if err := p.device.SetAll(differing...); err != nil {
		return err
	}
	return p.note.Follows(p.options.planFile(), plan, len(differing) > 0)
}

// dropOld takes ports out that are in the device and not in the plan.
func (p *Plane) dropOld(ctx context.Context, plan agg.Plan) error {
	in, err := p.device.Ports()
	if err != nil {
		return err
	}
	var errs []error
	for _, x := range in {
		if slices.ContainsFunc(plan.Ports, func(pp agg.PlanPort) bool { return pp.Index == x.Index }) {
			continue
		}
		if err := p.device.RemovePort(x.Index); err != nil && !iface.IsAbsent(err) {
			errs = append(errs, err)
		}
	}
	p.release(ctx, plan)
	return errors.Join(errs...)
}
