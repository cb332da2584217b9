package user

import (
	"errors"

	"github.com/yokelag/yoke/internal/clsact"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/plane/port"
)

// fence silences a port's own stack, where the kernel can. It may be repeated: what is
// there stays.
func (p *Plane) fence(ifindex int) error {
	if !p.fenced {
		return nil
	}
	if err := p.keeper.EnsureClsact(ifindex); err != nil {
		return err
	}
	return fencePort(ifindex)
}

// fenceHere is fence where the interface may be gone: the engine will hear of that and
// publish a plan without the port.
func (p *Plane) fenceHere(ifindex int) error {
	if err := p.fence(ifindex); !iface.IsAbsent(err) {
		return err
	}
	return nil
}

// fenceAgain puts back what somebody may have taken off ports that stay.
func (p *Plane) fenceAgain(old map[string]*link) error {
	var errs []error
	for name, l := range p.links {
		if old[name] == l {
			errs = append(errs, p.fenceHere(l.ifindex))
		}
	}
	return errors.Join(errs...)
}

// fenceDevice keeps the host's stack from seeing what the aggregate transmits, also after
// somebody has taken that filter away.
func (p *Plane) fenceDevice() error {
	if !p.fenced {
		return nil
	}
	err := fenceInner(p.device.Inner)
	if clsact.IsGone(err) { // it has lost its qdisc, or is gone itself
		_ = port.AddClsact(p.device.Inner) // what is wrong shows next
		err = fenceInner(p.device.Inner)
	}
	if clsact.IsGone(err) {
		return nil
	}
	return err
}
