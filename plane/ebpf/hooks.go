package ebpf

import (
	"errors"
)

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
