package bonding

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/plane/port"
)

// Apply makes the bond follow plan: its mode and options, its ports, and the active one of
// active-backup. What is so already is not touched.
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
	changed := false
	steps := []func() (bool, error){
		func() (bool, error) { return p.setOptions(ctx, plan) },
		func() (bool, error) { return false, p.setDevice(plan) },
		func() (bool, error) { return false, p.forgetListening() },
		func() (bool, error) { return p.joinAll(ctx, plan) },
		func() (bool, error) { return p.setOptions(ctx, plan) }, // the primary, which is one of them
		p.setPorts,
		p.prefer,
		func() (bool, error) { return p.setActive(ctx, plan) },
		func() (bool, error) { return p.dropOld(ctx, plan) },
	}
	for _, step := range steps {
		did, err := step()
		if err != nil {
			return err
		}
		changed = changed || did
	}
	p.settle(ctx, plan)
	p.stranger = false
	return p.note.Follows(p.options.planFile(), plan, changed)
}

// check refuses plans that the driver cannot carry out, before anything changes.
func (p *Plane) check(plan agg.Plan) error {
	for i, pp := range plan.Ports {
		if plan.PortByName(pp.Name) != i {
			return fmt.Errorf("port %s is in the plan twice", pp.Name)
		}
	}
	for _, c := range plan.Table {
		if c.First >= len(plan.Ports) || c.Second >= len(plan.Ports) {
			return fmt.Errorf("the table names port %d of %d", max(c.First, c.Second), len(plan.Ports))
		}
	}
	for _, r := range []struct {
		found bool
		rule  string
	}{
		{!slices.Contains(modes(), plan.Mode), "has no mode " + plan.Mode.String()},
		{hashed(plan) && !slices.Contains(Capability().Hashes, plan.Hash), "does not compute the hash " + plan.Hash.String()},
		{plan.FastPath, "has no fast_path"},
		{plan.Copy != 0, "cannot send classes of frames by all ports"},
		{slices.ContainsFunc(plan.Ports, func(pp agg.PlanPort) bool { return !pp.MAC.IsZero() && pp.MAC != plan.MAC }),
			"gives all ports one address"},
	} {
		if r.found {
			return &agg.Problem{Code: "not-supported", Object: "plane bonding", Rule: r.rule,
				Remedy: "`yoke up " + p.options.Name + " plane=ebpf`"}
		}
	}
	return nil
}

// modes are those that the driver has; random is balance-rr without turns.
func modes() []agg.Mode {
	return []agg.Mode{agg.BalanceRR, agg.ActiveBackup, agg.BalanceXOR, agg.Broadcast, agg.LACP, agg.BalanceTLB, agg.BalanceALB, agg.Random}
}

func hashed(plan agg.Plan) bool {
	return plan.Select == agg.SelectBuckets || plan.Select == agg.SelectModulo
}

// wanted are the options that the spec asks for, or without one those that a plan says
// something of.
func (p *Plane) wanted(plan agg.Plan, have State) (Values, error) {
	if p.spec != nil {
		return p.bySpec(have)
	}
	mode := plan.Mode
	if mode == agg.Random {
		mode = agg.BalanceRR
	}
	out := Values{}
	put := func(name, text string) error {
		a, _ := named(Attributes(), name)
		v, err := a.Kernel(p.options.Name, text, func(string) int { return 0 })
		out[name] = v
		return err
	}
	errs := []error{put("mode", mode.String())}
	if hashed(plan) {
		errs = append(errs, put("xmit_hash_policy", plan.Hash.String()))
	}
	if mode == agg.BalanceRR {
		packets := max(plan.PacketsPerPort, 1)
		if plan.Select == agg.SelectRandom {
			packets = 0
		}
		out["packets_per_slave"] = itoa(packets)
	}
	if mode == agg.ActiveBackup {
		receive := 0
		for _, pp := range plan.Ports {
			if pp.Receive {
				receive++
			}
		}
		out["all_slaves_active"] = "0"
		if receive > 1 {
			out["all_slaves_active"] = "1"
		}
	}
	// Without any watch the driver would never notice a cable.
	if !positive(have.Options["miimon"]) && !positive(have.Options["arp_interval"]) {
		out["miimon"] = itoa(p.options.Miimon)
	}
	return out, errors.Join(errs...)
}

// setOptions changes what differs. The mode changes only without ports, with the device
// down.
func (p *Plane) setOptions(ctx context.Context, plan agg.Plan) (bool, error) {
	have, err := p.driver.Read(p.index)
	if err != nil {
		return false, err
	}
	want, err := p.wanted(plan, have)
	if err != nil || !differs(have, want) {
		return false, err
	}
	if have.Options["mode"] == want["mode"] {
		return true, p.driver.Change(p.index, want)
	}
	return true, p.changeMode(ctx, plan, have, want)
}

// changeMode takes the ports out for it, with the device down. Those of a bond that somebody
// else made stay.
func (p *Plane) changeMode(ctx context.Context, plan agg.Plan, have State, want Values) error {
	if p.stranger && len(have.Ports) > 0 {
		return &agg.Problem{
			Code: "other-mode", Object: p.options.Name, Option: "mode", Value: plan.Mode.String(),
			Rule:   "the bond is there already, in mode " + have.Mode().String() + ", and would lose its ports for a change",
			Remedy: "`ip link delete " + p.options.Name + "` before",
		}
	}
	if err := p.leaveAll(); err != nil {
		return err
	}
	p.unreleased = p.keeper.LetGo(ctx, plan)
	if !have.Up {
		return p.driver.Change(p.index, want)
	}
	return errors.Join(
		iface.Change(p.index).Flag(unix.IFF_UP, false).Do(),
		p.driver.Change(p.index, want),
		iface.Change(p.index).Flag(unix.IFF_UP, true).Do())
}

func differs(have State, want Values) bool {
	for name, v := range want {
		if have.Options[name] != v {
			return true
		}
	}
	return false
}

// setDevice gives the bond the plan's address and MTU, which the driver gives its ports.
func (p *Plane) setDevice(plan agg.Plan) error {
	have, err := p.driver.Read(p.index)
	if err != nil {
		return err
	}
	if !plan.MAC.IsZero() && plan.MAC != have.MAC {
		if err := iface.Change(p.index).MAC(plan.MAC[:]).Do(); err != nil {
			return err
		}
	}
	if plan.MTU != 0 && plan.MTU != have.MTU {
		return iface.Change(p.index).MTU(plan.MTU).Do()
	}
	return nil
}

// forgetListening ends what a plane before this one had the ports hear besides: the driver
// sees to all of that by itself.
func (p *Plane) forgetListening() error {
	return errors.Join(p.keeper.Promiscuous(agg.Plan{}, false), p.keeper.SlowProtocols(agg.Plan{}))
}

// joinAll takes every port of the plan that is present and gives it to the bond.
func (p *Plane) joinAll(ctx context.Context, plan agg.Plan) (bool, error) {
	have, err := p.driver.Read(p.index)
	if err != nil {
		return false, err
	}
	changed := false
	for _, pp := range plan.Ports {
		joined := slices.ContainsFunc(have.Ports, func(x Port) bool { return x.Index == pp.Index })
		if pp.Index == 0 || joined {
			continue
		}
		changed = true
		if err := p.join(ctx, plan, pp); err != nil {
			return changed, err
		}
	}
	return changed, nil
}

func (p *Plane) join(ctx context.Context, plan agg.Plan, pp agg.PlanPort) error {
	index, err := p.keeper.Take(ctx, pp.Name, port.Want{MAC: plan.MAC, MTU: plan.MTU})
	if err != nil {
		return err
	}
	if index != pp.Index {
		return fmt.Errorf("port %s has ifindex %d, the plan says %d", pp.Name, index, pp.Index)
	}
	// The driver takes interfaces that are down only, and sets them up itself.
	if err := iface.Change(index).Flag(unix.IFF_UP, false).Do(); err != nil {
		return err
	}
	if err := p.driver.SetMaster(index, p.index); err != nil {
		return errors.Join(err, iface.Change(index).Flag(unix.IFF_UP, true).Do())
	}
	return nil
}

// active is the ifindex of the port that a plan has active, 0 for none.
func active(plan agg.Plan) int {
	if plan.Mode != agg.ActiveBackup || len(plan.Table) == 0 || plan.Table[0].First == agg.NoPort {
		return 0
	}
	return plan.Ports[plan.Table[0].First].Index
}

// setActive makes the plan's port the active one, when the driver sees its link. Where
// there is a spec only what that asks for counts.
func (p *Plane) setActive(ctx context.Context, plan agg.Plan) (bool, error) {
	if p.spec != nil {
		return p.wish()
	}
	index := active(plan)
	if index == 0 {
		return false, nil
	}
	p.settle(ctx, plan)
	have, err := p.driver.Read(p.index)
	if err != nil || have.Options["active_slave"] == itoa(index) {
		return false, err
	}
	return true, p.driver.Change(p.index, Values{"active_slave": itoa(index)})
}

// settle waits until the driver sees the link of the ports that the plan sends by, since
// its own poll is behind ours, and until the kernel's queues follow: what is sent before is
// lost. Where they do not, Observe says so.
func (p *Plane) settle(ctx context.Context, plan agg.Plan) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(3*p.options.Miimon)*time.Millisecond+100*time.Millisecond)
	defer cancel()
	for {
		have, err := p.driver.Read(p.index)
		if err != nil || seen(have, plan) && queued(have, plan) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// seen reports whether the driver can send by every port that the plan sends by. A bond
// that is down looks at none.
func seen(have State, plan agg.Plan) bool {
	for _, pp := range plan.Ports {
		if !pp.Transmit || !have.Up {
			continue
		}
		i := slices.IndexFunc(have.Ports, func(x Port) bool { return x.Index == pp.Index })
		if i < 0 || !have.Ports[i].Works() {
			return false
		}
	}
	return true
}

// queued reports whether the bond, and every port that the plan sends by, can take frames.
func queued(have State, plan agg.Plan) bool {
	if !have.Up {
		return true
	}
	for _, pp := range plan.Ports {
		for _, x := range have.Ports {
			if pp.Transmit && x.Index == pp.Index && !x.Queued {
				return false
			}
		}
	}
	return have.Queued || !plan.Carrier
}

// dropOld takes ports out that are in the bond and not in the plan.
func (p *Plane) dropOld(ctx context.Context, plan agg.Plan) (bool, error) {
	have, err := p.driver.Read(p.index)
	if err != nil {
		return false, err
	}
	changed := false
	var errs []error
	for _, x := range have.Ports {
		if slices.ContainsFunc(plan.Ports, func(pp agg.PlanPort) bool { return pp.Index == x.Index }) {
			continue
		}
		changed = true
		if err := p.driver.SetMaster(x.Index, 0); err != nil && !iface.IsAbsent(err) {
			errs = append(errs, err)
		}
	}
	p.unreleased = p.keeper.LetGo(ctx, plan) // the bond can follow the plan without
	return changed, errors.Join(errs...)
}
