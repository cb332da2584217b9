package ebpf

import (
	"errors"
)

// hookHop puts hop on the inner end of the device.
func (p *Plane) hookHop() error {
	return p.hook(hopHook(p.device.Inner), p.loader.reach.hop(), anyPlace)
}

// hookEntry puts entry on the outer end, where it is in reach.
func (p *Plane) hookEntry() error {
	if p.elsewhere {
		return nil
	}
	return p.hook(entryHook(p.device.Outer), p.loader.reach.entry(), anyPlace)
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
