package team

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/team"
)

// Vacate removes the device and leaves the ports taken, for another plane to go on with
// the aggregate. The driver sets ports down that leave it, so they are set up again. No
// other plane can have the driver's device: keepDevice is refused. The plane is closed.
func (p *Plane) Vacate(keepDevice bool) error {
	if keepDevice {
		return fmt.Errorf("leave %s to another plane: its device is the team driver's", p.options.Name)
	}
	ports, err := p.device.Ports()
	if errors.Is(err, team.ErrNotTeam) {
		err = nil
	}
	errs := []error{err}
	for _, in := range ports {
		err := p.device.RemovePort(in.Index)
		if err == nil {
			err = iface.Change(in.Index).Flag(unix.IFF_UP, true).Do()
		}
		if !iface.IsAbsent(err) {
			errs = append(errs, err)
		}
	}
	errs = append(errs, p.note.Forget(p.options.planFile()))
	// Last, since it tells the next daemon whether anything was done.
	if err := p.device.Destroy(); err != nil && !errors.Is(err, unix.ENODEV) {
		errs = append(errs, err)
	}
	if err := errors.Join(append(errs, p.Close())...); err != nil {
		return fmt.Errorf("leave %s to another plane: %w", p.options.Name, err)
	}
	return nil
}
