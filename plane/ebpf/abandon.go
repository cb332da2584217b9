package ebpf

import "errors"

// abandon lets go of a plane that cannot be opened, and removes what opening it has made:
// nobody would come for the device and the pins. What was there before stays as it is.
func (p *Plane) abandon() error {
	if !p.fresh {
		return p.Close()
	}
	var errs []error
	if p.device != nil && p.device.Made {
		errs = append(errs, p.device.Delete())
		p.device = nil // Delete has let go of it
	}
	errs = append(errs, p.Close(), removePinDir(p.options.PinRoot, p.dir))
	return errors.Join(errs...)
}
