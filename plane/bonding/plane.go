package bonding

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
)

// memory is what is noted beside the plan: the last active_slave that was acted on.
type memory struct {
	Wish string `json:"wish,omitempty"`
}

// Plane configures and watches a bond, which the kernel runs. Its methods must be called
// in the network namespace that Open was called in, by one goroutine at a time.
type Plane struct {
	options Options
	driver  *Driver
	index   int
	keeper  *port.Keeper
	tool    *ethtool.Socket
	note    device.Note[memory]
	// stranger: somebody else made the bond, and no plan was applied to it.
	stranger bool
	// spec is what is wanted, nil where the plan says what the driver is to do.
	spec *agg.Spec
	// again are options of it that are written also where they are so already.
	again []string
	// unreleased are the reasons why ports that left are still taken.
	unreleased []string
}

// Open creates the bond of an aggregate, or adopts the one that is there with its ports,
// whoever made it, and changes nothing of that. A kernel without the driver is an
// [agg.Problem].
func Open(_ context.Context, options Options) (*Plane, error) {
	p := &Plane{options: options.withDefaults()}
	if err := p.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open plane bonding for %s: %w", options.Name, err), p.Close())
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
	if p.driver, err = NewDriver(); err != nil {
		return err
	}
	if err := p.ensure(); err != nil {
		return err
	}
	p.note, err = device.LoadNote[memory](p.options.planFile(), p.index)
	p.stranger = p.stranger && p.note.Plan == nil
	return err
}

// ensure finds the bond or makes it.
func (p *Plane) ensure() (err error) {
	p.index, err = p.driver.Find(p.options.Name)
	switch {
	case err == nil:
		p.stranger = true
		return nil
	case errors.Is(err, ErrNotBond):
		return device.OtherKind(p.options.Name)
	case !errors.Is(err, unix.ENODEV):
		return err
	}
	if err := p.driver.Create(p.options.Name, p.options.MAC, p.options.MTU); err != nil {
		return err
	}
	p.index, err = p.driver.Find(p.options.Name)
	return err
}

// Close lets go of sockets. The driver forwards on.
func (p *Plane) Close() error {
	var errs []error
	if p.keeper != nil {
		errs = append(errs, p.keeper.Close())
	}
	if p.driver != nil {
		errs = append(errs, p.driver.Close())
	}
	if p.tool != nil {
		errs = append(errs, p.tool.Close())
	}
	p.keeper, p.driver, p.tool = nil, nil, nil
	return errors.Join(errs...)
}

// Destroy gives the ports back as they were and removes the device. One that somebody else
// made is left alone where no plan came so far as to be applied to it.
func (p *Plane) Destroy(ctx context.Context) error {
	if p.driver == nil {
		return fmt.Errorf("take %s apart: its plane is closed", p.options.Name)
	}
	if p.stranger {
		return p.Close()
	}
	errs := []error{p.leaveAll(), p.keeper.ReleaseOthers(ctx, agg.Plan{})}
	if err := p.driver.Destroy(p.index); err != nil && !errors.Is(err, unix.ENODEV) {
		errs = append(errs, err)
	}
	errs = append(errs, p.note.Forget(p.options.planFile()), p.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("take %s apart: %w", p.options.Name, err)
	}
	return nil
}

// leaveAll takes every port out of the bond.
func (p *Plane) leaveAll() error {
	s, err := p.driver.Read(p.index)
	if errors.Is(err, unix.ENODEV) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, in := range s.Ports {
		if err := p.driver.SetMaster(in.Index, 0); err != nil && !iface.IsAbsent(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
