package team

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/ethtool"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/plane/device"
	"github.com/yokelag/yoke/plane/port"
	"github.com/yokelag/yoke/team"
)

// Plane forwards for one aggregate. Its methods must be called in the network namespace
// that Open was called in, by one goroutine at a time.
type Plane struct {
	options Options
	kernel  *team.Kernel
	device  *team.Device
	keeper  *port.Keeper
	tool    *ethtool.Socket
	note    device.Note[memory]
	// unreleased are the reasons why ports that left are still taken.
	unreleased []string
}

// Open creates the team device of an aggregate, or adopts the one that is there with its
// ports, whoever made it. A kernel without the driver is an [agg.Problem].
func Open(_ context.Context, options Options) (*Plane, error) {
	p := &Plane{options: options.withDefaults()}
	if err := p.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open plane team for %s: %w", options.Name, err), p.Close())
	}
	return p, nil
}

func (p *Plane) open() (err error) {
	if err := os.MkdirAll(p.options.StateDir, 0o755); err != nil {
		return err
	}
	if p.tool, err = ethtool.Open(); err != nil {
		return err
	}
	if p.keeper, err = port.Open(p.options.portJournal(), p.options.Name); err != nil {
		return err
	}
	p.keeper.Know(p.options.Uppers)
	if p.kernel, err = team.Open(); err != nil {
		return p.noDriver(err)
	}
	if err := p.ensure(); err != nil {
		return p.noDriver(err)
	}
	p.note, err = device.LoadNote[memory](p.options.planFile(), p.device.Index())
	if p.note.Own.Base == nil {
		p.note.Own.Base = map[int]traffic{}
	}
	if err != nil || p.note.Plan != nil {
		return err
	}
	return rival(p.options.Name)
}

func (p *Plane) noDriver(err error) error { return refused(p.options.Name, err) }

// refused turns what a kernel without the driver, or one that does not let us, says into
// a problem; what the driver itself says stays.
func refused(object string, err error) error {
	switch {
	case errors.Is(err, team.ErrNoDriver):
		return device.NoDriver(object, "team")
	case errors.Is(err, unix.EPERM):
		return device.NoPrivilege(object, "team")
	default:
		return err
	}
}

// ensure finds the device or makes it.
func (p *Plane) ensure() (err error) {
	p.device, err = p.kernel.Find(p.options.Name)
	switch {
	case errors.Is(err, team.ErrNotTeam):
		return device.OtherKind(p.options.Name)
	case !errors.Is(err, unix.ENODEV):
		return err
	}
	o := team.CreateOptions{MTU: p.options.MTU}
	if !p.options.MAC.IsZero() {
		o.MAC = p.options.MAC[:]
	}
	p.device, err = p.kernel.Create(p.options.Name, o)
	return err
}

// Close lets go of sockets. The driver forwards on.
func (p *Plane) Close() error {
	var errs []error
	if p.keeper != nil {
		errs = append(errs, p.keeper.Close())
	}
	if p.kernel != nil {
		errs = append(errs, p.kernel.Close())
	}
	if p.tool != nil {
		errs = append(errs, p.tool.Close())
	}
	p.keeper, p.kernel, p.tool = nil, nil, nil
	return errors.Join(errs...)
}

// Destroy gives the ports back as they were and removes the device.
func (p *Plane) Destroy(ctx context.Context) error {
	errs := []error{p.leaveAll(), p.keeper.ReleaseOthers(ctx, agg.Plan{})}
	if err := p.device.Destroy(); err != nil && !errors.Is(err, unix.ENODEV) {
		errs = append(errs, err)
	}
	errs = append(errs, p.note.Forget(p.options.planFile()), p.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("take %s apart: %w", p.options.Name, err)
	}
	return nil
}

// leaveAll takes every port out of the device.
func (p *Plane) leaveAll() error {
	ports, err := p.device.Ports()
	if err != nil && !errors.Is(err, team.ErrNotTeam) {
		return err
	}
	var errs []error
	for _, in := range ports {
		if err := p.device.RemovePort(in.Index); err != nil && !iface.IsAbsent(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// release gives ports back that are taken and not in the plan; the device has let go of
// them. Observe reports those that cannot be given back: the plan can be in force without.
func (p *Plane) release(ctx context.Context, plan agg.Plan) {
	for _, r := range p.keeper.Taken() {
		if plan.PortByName(r.Name) == agg.NoPort {
			delete(p.note.Own.Base, r.Index)
		}
	}
	p.unreleased = p.keeper.LetGo(ctx, plan)
}
