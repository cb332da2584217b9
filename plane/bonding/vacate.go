package bonding

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/iface"
)

// Vacate removes the bond and leaves the ports taken, for another plane to go on with the
// aggregate. The driver sets ports down that leave it, so they are set up again. No other
// plane can have the driver's device: keepDevice is refused. The plane is closed.
func (p *Plane) Vacate(keepDevice bool) error {
	if keepDevice {
		return fmt.Errorf("leave %s to another plane: its device is the bonding driver's", p.options.Name)
	}
	s, err := p.driver.Read(p.index)
	if errors.Is(err, unix.ENODEV) {
		err = nil
	}
	errs := []error{err}
	for _, q := range s.Ports {
		err := p.driver.SetMaster(q.Index, 0)
		if err == nil {
			err = iface.Change(q.Index).Flag(unix.IFF_UP, true).Do()
		}
		if !iface.IsAbsent(err) {
			errs = append(errs, err)
		}
	}
	if err := os.Remove(p.options.planFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, err)
	}
	// Last, since it tells the next daemon whether anything was done.
	if err := p.driver.Destroy(p.index); err != nil && !errors.Is(err, unix.ENODEV) {
		errs = append(errs, err)
	}
	if err := errors.Join(append(errs, p.Close())...); err != nil {
		return fmt.Errorf("leave %s to another plane: %w", p.options.Name, err)
	}
	return nil
}
