package port

import (
	"bytes"
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/internal/netspace"
)

// restoreAway gives a port that somebody has moved to another network namespace its address,
// MTU and flags back there, so that no second interface goes about with the aggregate's
// address. The kernel set it down and forgot its IPv6 settings by moving it. One that cannot
// be found, because it is deleted or nobody names the namespace, is left.
func restoreAway(r Record, home netspace.ID) error {
	if r.Given.IsZero() {
		return nil // it cannot be told from others
	}
	var done error
	err := netspace.Each(func(s *netspace.Space, _ string) bool {
		if s.ID() == home {
			return false
		}
		found := false
		_ = s.Do(func() error { // a namespace that cannot be entered is not looked at
			found, done = restoreIn(r)
			return nil
		})
		if found {
			done = errors.Join(done, s.Close())
		}
		return found
	})
	return errors.Join(err, done)
}

// restoreIn restores the port where it is in the calling thread's namespace: the interface
// with its name, or hardware with its number, that has the address it was given, or has its
// own back from a time when the rest could not be restored.
func restoreIn(r Record) (found bool, err error) {
	l, err := iface.ByName(r.Name, iface.Here)
	if err != nil || !r.gone(l) {
		l, err = iface.ByIndex(r.Index, iface.Here)
		if err != nil || !r.gone(l) || l.Kind != "" { // the aggregate's own device may be there, too
			return false, nil //nolint:nilerr // it is not here
		}
	}
	errs := []error{setFlag(l.Index, unix.IFF_ALLMULTI, r.AllMulti), setMAC(l.Index, r.MAC), setMTU(l.Index, r.MTU)}
	if r.PromiscSet {
		errs = append(errs, setFlag(l.Index, unix.IFF_PROMISC, r.Promisc))
	}
	return true, errors.Join(errs...)
}

// gone reports whether an interface elsewhere may be the port: devices above an aggregate
// have its address too.
func (r Record) gone(l iface.Link) bool {
	known := bytes.Equal(l.HardwareAddr, r.Given[:]) || bytes.Equal(l.HardwareAddr, r.MAC[:])
	return known && !slices.Contains([]string{"vlan", "bridge", "macvlan", "bond", "team"}, l.Kind)
}
