package ebpf

import (
	"errors"
	"fmt"
)

// Vacate takes away what the plane has of its own, for another plane to go on with the
// aggregate: ports stay taken and as they are, and the device stays where keepDevice says
// so. The plane is closed.
func (p *Plane) Vacate(keepDevice bool) error {
	var errs []error
	for name, ifindex := range p.hooked {
		errs = append(errs, p.unhookPort(p.places[name], ifindex))
	}
	errs = append(errs, p.attach.detach(entryHook(p.device.Outer)), p.attach.detach(hopHook(p.device.Inner)))
	if !keepDevice { // last, since it tells the next daemon whether anything was done
		errs = append(errs, p.device.Delete())
		p.device = nil // Delete has let go of it
	}
	errs = append(errs, p.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("leave %s to another plane: %w", p.options.Name, err)
	}
	return removePinDir(p.options.PinRoot, p.dir)
}
