package ebpf

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/ethtool"
	"github.com/yokelag/yoke/plane/device"
	"github.com/yokelag/yoke/plane/port"
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
	device  *device.Pair
	ports   *port.Keeper
	memory  *memory
	driver  *ethtool.Socket

	// places and hooked are what the maps and hooks hold: the place of each port, and
	// the ifindex on which its programs are.
	places places
	hooked map[string]int
	// hookedAt is when a port was hooked last, calm how long that must be ago before
	// filters become links.
	hookedAt int64
	calm     time.Duration
	// done is what was last set on the device and the ports.
	done settings
	// elsewhere: the aggregate's device is in another network namespace.
	elsewhere bool
	// promisc: the device wants to hear all, when it was looked at last.
	promisc bool
	// unreleased are the reasons why ports that left are still taken.
	unreleased []string
	closed     bool
	// fresh: nothing was pinned before.
	fresh bool
}

// settings are the parts of a plan that need netlink calls.
type settings struct {
	known   bool
	carrier bool
	mac     agg.MAC
	mtu     int
	ports   map[string]agg.MAC // the addresses of the ports
	// generation is that of the plan in force, where it was this process that applied it.
	generation uint64
}

// Open creates the plane of an aggregate, or adopts the one that is there: device, maps
// and hooks go on as they are, and only the programs are replaced by those of this
// version, without a lost frame.
func Open(ctx context.Context, options Options) (*Plane, error) {
	p := &Plane{options: options.withDefaults(), places: places{}, hooked: map[string]int{}, calm: calmEnough}
	if err := p.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open plane ebpf for %s: %w", options.Name, err), p.abandon())
	}
	return p, nil
}

func (p *Plane) open(ctx context.Context) (err error) {
	if p.dir, err = pinDir(p.options.PinRoot, p.options.Name); err != nil {
		return err
	}
	if err := p.dropStalePins(); err != nil {
		return err
	}
	p.fresh = existing(p.dir) != p.dir
	tables, adopted, err := openTables(p.options.Programs, p.dir)
	if err != nil {
		return err
	}
	p.tables, p.memory = tables, &memory{tables: &p.tables}
	if p.device, err = device.Ensure(p.options.device()); err != nil {
		return err
	}
	p.elsewhere = p.device.Elsewhere
	if p.ports, err = port.Open(p.options.journal(), p.options.Name); err != nil {
		return err
	}
	p.ports.Know(p.options.Uppers)
	p.ports.NeedClsact()
	if p.driver, err = ethtool.Open(); err != nil {
		return err
	}
	if p.publish, err = openPublisher(&p.tables, adopted); err != nil {
		return err
	}
	p.loader = newLoader(p.options.Programs, &p.tables, p.device.Inner, p.options.ForceBlindGuard)
	if !p.loader.blind {
		p.loader.probeGuard()
	}
	now, err := p.publish.inForce()
	if err != nil {
		return err
	}
	inForce, _ := decode(now)
	p.loader.reach = reachOf(inForce)
	p.attach = attacher{links: links{dir: p.dir}, filters: filters{ports: p.ports}}
	if adopted {
		if err := p.adopt(); err != nil {
			return err
		}
	}
	if !p.options.Follows {
		if err := p.dropUnfinished(ctx); err != nil {
			return err
		}
	}
	if err := p.hookHop(); err != nil {
		return err
	}
	return p.hookEntry()
}

// dropUnfinished gives back ports that were taken for a plan that never came into force,
// by a daemon that died before: nobody may come for them.
func (p *Plane) dropUnfinished(ctx context.Context) error {
	var errs []error
	for _, r := range p.ports.Taken() {
		if p.knows(r) {
			continue
		}
		for _, place := range p.places.unused() {
			errs = append(errs, p.attach.links.detach(rxHook(place, r.Index)), p.attach.links.detach(guardHook(place, r.Index)))
		}
		errs = append(errs, p.unhookPort(anyPlace, r.Index))
		if err := p.ports.Release(ctx, r.Name); err != nil { // the plan in force works without
			p.unreleased = append(p.unreleased, strings.Split(err.Error(), "\n")...)
		}
	}
	return errors.Join(errs...)
}

// knows reports whether a port that is taken is one of the plan in force, whatever its
// interface is called now.
func (p *Plane) knows(r port.Record) bool {
	if _, known := p.places[r.Name]; known {
		return true
	}
	for _, ifindex := range p.hooked {
		if ifindex == r.Index {
			return true
		}
	}
	return false
}

// dropStalePins removes what is pinned where the device is gone: somebody deleted it, or
// the network namespace has died and a new one has its number.
func (p *Plane) dropStalePins() error {
	d, found, err := device.Find(p.options.Name)
	if err != nil {
		return err
	}
	if found {
		return d.Close()
	}
	return removePinDir(p.dir, p.dir)
}

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
		rx := rxHook(place, port.Index)
		// A link goes before those that have come since. A filter does so with the next plan.
		if port.Index == 0 || !p.attach.links.attached(rx) && !p.attach.attached(rx, sight{}) {
			continue
		}
		if err := p.hookPort(place, port.Index); err != nil {
			return err
		}
		p.hooked[port.Name] = port.Index
	}
	return nil
}

// Close lets go of descriptors; forwarding goes on. After the first time it does nothing.
func (p *Plane) Close() error {
	if p.closed {
		return nil
	}
	p.closed = true
	var errs []error
	if p.publish != nil {
		p.publish.grace.close()
	}
	if p.ports != nil {
		errs = append(errs, p.ports.Close())
	}
	if p.driver != nil {
		errs = append(errs, p.driver.Close())
	}
	if p.device != nil {
		errs = append(errs, p.device.Close())
	}
	return errors.Join(append(errs, p.tables.Close())...)
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
		p.device.Delete())
	p.device = nil // Delete has let go of it
	errs = append(errs, p.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("take %s apart: %w", p.options.Name, err)
	}
	return removePinDir(p.options.PinRoot, p.dir)
}
