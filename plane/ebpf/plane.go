package ebpf

import (
	"context"
	"errors"
	"fmt"

	"github.com/yokelag/yoke/agg"
)

// Plane forwards for one aggregate by tc programs. Its methods must be called in the
// network namespace that Open was called in, by one goroutine at a time.
type Plane struct {
	options Options
	dir     string
	tables  yokeMaps
	loader  *loader
	attach  attacher
	publish *publisher
	device  *pair
	ports   *keeper

	// places and hooked are what the maps and hooks hold: the place of each port, and
	// the ifindex on which its programs are.
	places places
	hooked map[string]int
	// done is what was last set on the device and the ports.
	done settings
	// elsewhere: the aggregate's device is in another network namespace.
	elsewhere bool
}

// settings are the parts of a plan that need netlink calls.
type settings struct {
	known   bool
	carrier bool
	mac     agg.MAC
	mtu     int
}

// Open creates the plane of an aggregate, or adopts the one that is there: device, maps
// and hooks go on as they are, and only the programs are replaced by those of this
// version, without a lost frame.
func Open(ctx context.Context, options Options) (*Plane, error) {
	p := &Plane{options: options.withDefaults(), places: places{}, hooked: map[string]int{}}
	if err := p.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open plane ebpf for %s: %w", options.Name, err), p.Close())
	}
	return p, nil
}

func (p *Plane) open(_ context.Context) (err error) {
	if p.dir, err = pinDir(p.options.PinRoot, p.options.Name); err != nil {
		return err
	}
	tables, adopted, err := openTables(p.dir)
	if err != nil {
		return err
	}
	p.tables = tables
	if p.device, err = ensurePair(p.options); err != nil {
		return err
	}
	if p.ports, err = openKeeper(p.options.journal(), p.options.Name); err != nil {
		return err
	}
	if p.publish, err = openPublisher(&p.tables, adopted); err != nil {
		return err
	}
	p.loader = newLoader(&p.tables, p.device.Inner, p.options.ForceBlindGuard)
	if !p.loader.blind {
		p.loader.probeGuard()
	}
	p.attach = p.chooseAttacher()
	if adopted {
		if err := p.adopt(); err != nil {
			return err
		}
	}
	return p.hookDevice()
}

// chooseAttacher takes tcx where the kernel has it.
func (p *Plane) chooseAttacher() attacher { return tcx{dir: p.dir} }

// adopt learns places from the plan in force and gives the ports this version's
// programs.
func (p *Plane) adopt() error {
	e, err := p.publish.inForce()
	if err != nil {
		return err
	}
	plan, s := decode(e)
	p.places = s
	for _, port := range plan.Ports {
		place := s[port.Name]
		if port.Index == 0 || !p.attach.attached(rxHook(place, port.Index)) {
			continue
		}
		if err := p.hookPort(place, port.Index); err != nil {
			return err
		}
		p.hooked[port.Name] = port.Index
	}
	return nil
}

// hookDevice puts entry and hop on the two ends of the device.
func (p *Plane) hookDevice() error {
	if err := p.hook(hopHook(p.device.Inner), yokeProgYokeHop, anyPlace); err != nil {
		return err
	}
	if p.elsewhere {
		return nil
	}
	return p.hook(entryHook(p.device.Outer), yokeProgYokeEntry, anyPlace)
}

func (p *Plane) hook(h hook, program string, place int) error {
	prog, err := p.loader.load(program, place)
	if err != nil {
		return err
	}
	defer prog.Close()
	return p.attach.attach(h, prog)
}

// hookPort puts rx and guard on a port. The guard comes first: a port must not speak
// for itself while it receives already.
func (p *Plane) hookPort(place, ifindex int) error {
	guard, err := p.loader.guard(place)
	if err != nil {
		return err
	}
	defer guard.Close()
	if err := p.attach.attach(guardHook(place, ifindex), guard); err != nil {
		return err
	}
	return p.hook(rxHook(place, ifindex), yokeProgYokeRx, place)
}

// unhookPort takes both off again.
func (p *Plane) unhookPort(place, ifindex int) error {
	return errors.Join(p.attach.detach(rxHook(place, ifindex)), p.attach.detach(guardHook(place, ifindex)))
}

// Close lets go of descriptors; forwarding goes on.
func (p *Plane) Close() error {
	if p.publish != nil {
		p.publish.grace.close()
	}
	return p.tables.Close()
}

// Destroy gives the ports back as they were and removes the device, the hooks and the
// pins.
func (p *Plane) Destroy(ctx context.Context) error {
	var errs []error
	for name, ifindex := range p.hooked {
		errs = append(errs, p.unhookPort(p.places[name], ifindex))
	}
	for _, r := range p.ports.Taken() {
		errs = append(errs, p.ports.Release(ctx, r.Name))
	}
	errs = append(errs,
		p.attach.detach(entryHook(p.device.Outer)),
		p.attach.detach(hopHook(p.device.Inner)),
		p.device.Delete(),
		p.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("take %s apart: %w", p.options.Name, err)
	}
	return removePinDir(p.options.PinRoot, p.dir)
}
