package user

import (
	"errors"
	"fmt"
)

// Vacate takes away what the plane has of its own, for another plane to go on with the
// aggregate: ports stay taken and as they are, and the device stays where keepDevice says
// so. The plane is closed.
func (p *Plane) Vacate(keepDevice bool) error {
	p.table.Store(nil)
	p.settle()
	var errs []error
	if p.fenced {
		for _, r := range p.keeper.Taken() {
			errs = append(errs, removeFence(r.Index, true), removeFence(r.Index, false))
		}
		errs = append(errs, removeFence(p.device.Inner, true))
	}
	if !keepDevice { // last, since it tells the next daemon whether anything was done
		errs = append(errs, p.device.Delete())
		p.device = nil // Delete has let go of it
	}
	if err := errors.Join(append(errs, p.Close())...); err != nil {
		return fmt.Errorf("leave %s to another plane: %w", p.options.Name, err)
	}
	return nil
}
