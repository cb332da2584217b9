package user

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/ethtool"
	"github.com/yokelag/yoke/plane/device"
	"github.com/yokelag/yoke/plane/port"
)

// Plane forwards for one aggregate. Its methods must be called in the network namespace
// that Open was called in, by one goroutine at a time.
type Plane struct {
	options Options
	device  *device.Pair
	keeper  *port.Keeper
	tool    *ethtool.Socket

	// table is what the loops forward by; nil before the first plan.
	table atomic.Pointer[table]
	drops drops
	inner *socket
	notes *tagNotes
	tx    *loop
	rx    *loop

	// links are the taken ports by name.
	links map[string]*link
	// closing are links of ports that left, closedErr what went wrong with them.
	closing   sync.WaitGroup
	closedMu  sync.Mutex
	closedErr error
	// fenced: the kernel can silence the ports' own stacks.
	fenced bool
	// done is what was last set on the device.
	done settings
	// promisc: the device wants to hear all, when it was looked at last.
	promisc bool
	// unreleased are the reasons why ports that left are still taken.
	unreleased []string
}

// settings are the parts of a plan that concern the device.
type settings struct {
	known, carrier bool
	mac            agg.MAC
	mtu            int
}

// Open creates the device of an aggregate, or adopts the one that is there with the
// ports that are taken. Nothing is forwarded before the first Apply.
func Open(_ context.Context, options Options) (*Plane, error) {
	p := &Plane{options: options.withDefaults(), links: map[string]*link{}, notes: newTagNotes()}
	if err := p.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open plane user for %s: %w", options.Name, err), p.abandon())
	}
	return p, nil
}

// abandon lets go of a plane that cannot be opened, and of the device where opening it has
// made that: nobody would come for it.
func (p *Plane) abandon() error {
	var errs []error
	if p.device != nil && p.device.Made {
		errs = append(errs, p.device.Delete())
		p.device = nil // Delete has let go of it
	}
	return errors.Join(append(errs, p.Close())...)
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
	o := device.Options{Name: p.options.Name, MAC: p.options.MAC, MTU: p.options.MTU}
	if p.device, err = device.Ensure(o); err != nil {
		return err
	}
	return p.start()
}

// start makes the sockets of the device and sets the loops going.
func (p *Plane) start() (err error) {
	p.fenced = port.AddClsact(p.device.Inner) == nil && fenceInner(p.device.Inner) == nil
	if p.fenced {
		p.keeper.NeedClsact()
	}
	if err := p.reachOuter(); err != nil {
		return err
	}
	if p.inner, err = openSocket(p.device.Inner, p.options); err != nil {
		return err
	}
	p.tx, err = startLoop(&transmitter{
		inner: p.inner, notes: p.notes, plan: &p.table, drops: &p.drops, carrier: p.carrier,
	})
	if err != nil {
		return err
	}
	p.rx, err = startLoop(&receiver{inner: p.inner, plan: &p.table, drops: &p.drops})
	return err
}

// reachOuter prepares the outer end, where it is in reach: super-frames that cannot
// pass a packet socket are cut before, and a socket notes tags.
func (p *Plane) reachOuter() (err error) {
	if p.device.Elsewhere {
		return nil
	}
	now, err := p.device.Facts() // somebody may have renamed it
	if err != nil {
		return err
	}
	if err := cutTunnels(p.tool, now.Name); err != nil {
		return err
	}
	p.notes.tap, err = openTap(p.device.Outer)
	return err
}

// Close lets go of the sockets. Forwarding stops; device and ports stay as they are.
func (p *Plane) Close() error {
	var errs []error
	for _, l := range []*loop{p.tx, p.rx} {
		if l != nil {
			errs = append(errs, l.end())
		}
	}
	p.tx, p.rx = nil, nil
	p.closing.Wait()
	errs = append(errs, p.closedErr)
	for name, l := range p.links {
		errs = append(errs, l.close())
		delete(p.links, name)
	}
	if p.inner != nil {
		errs = append(errs, p.inner.close())
	}
	if p.notes.tap != nil {
		errs = append(errs, p.notes.tap.close())
	}
	p.inner, p.notes.tap = nil, nil
	if p.device != nil {
		errs = append(errs, p.device.Close())
	}
	if p.keeper != nil {
		errs = append(errs, p.keeper.Close())
	}
	if p.tool != nil {
		errs = append(errs, p.tool.Close())
	}
	p.device, p.keeper, p.tool = nil, nil, nil
	return errors.Join(errs...)
}

// Destroy gives the ports back as they were and removes the device.
func (p *Plane) Destroy(ctx context.Context) error {
	var errs []error
	p.table.Store(nil)
	p.settle()
	for _, r := range p.keeper.Taken() {
		errs = append(errs, p.giveBack(ctx, r.Name, r.Index))
	}
	errs = append(errs, p.device.Delete())
	p.device = nil // Delete lets go of it too
	errs = append(errs, p.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("take %s apart: %w", p.options.Name, err)
	}
	return nil
}

func (p *Plane) settle() {
	p.tx.settle()
	p.rx.settle()
}

// carrier asks a port's driver, as the transmitter does when a frame was refused. It
// says false also where nobody can tell.
func (p *Plane) carrier(port string) bool {
	up, err := p.tool.Link(port)
	return err == nil && up
}
