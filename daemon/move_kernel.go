package daemon

import (
	"strings"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/handover"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/plane/bonding"
	"github.com/yokelag/yoke/plane/device"
	"github.com/yokelag/yoke/plane/ebpf"
	"github.com/yokelag/yoke/plane/team"
	"github.com/yokelag/yoke/plane/user"
)

// Compile-time checks: these planes can follow each other.
var (
	_ vacater = (*bonding.Plane)(nil)
	_ vacater = (*ebpf.Plane)(nil)
	_ vacater = (*team.Plane)(nil)
	_ vacater = (*user.Plane)(nil)
	_ mover   = (*kernelWorld)(nil)
)

// onPair reports whether a plane has the veth pair as its device.
func onPair(plane string) bool { return plane == "ebpf" || plane == "user" }

// CheckMove implements mover.
func (w *kernelWorld) CheckMove(to string, spec agg.Spec) error {
	refuse := func(rule string) error {
		return &agg.Problem{Code: "cannot-move", Object: spec.Name, Option: "plane", Value: to, Rule: rule, Remedy: "nothing was changed"}
	}
	switch to {
	case "user":
		return nil
	case "ebpf":
		if name, why := choosePlane(true); name != "ebpf" {
			return refuse(why)
		}
		return nil
	case "team":
		if w.noTeam != nil {
			return w.noTeam
		}
		if unfit := team.Unfit(spec.Config()); unfit != "" {
			return refuse("the kernel's team driver " + unfit)
		}
		return nil
	case "bonding":
		if err := bonding.Here(spec.Name); err != nil {
			return err
		}
		return bonding.Fit(spec)
	default:
		return refuse("forwards nothing on a real machine")
	}
}

// Follow implements mover.
func (w *kernelWorld) Follow(name string) (end func()) {
	w.following.Store(name, true)
	return func() { w.following.Delete(name) }
}

// follows reports whether a plane that is opened follows another one.
func (w *kernelWorld) follows(name string) bool {
	_, is := w.following.Load(name)
	return is
}

// Legacy implements mover.
func (w *kernelWorld) Legacy(name, from, to string) (legacy, error) {
	if onPair(from) && onPair(to) {
		return nil, nil //nolint:nilnil // the device stays as it is
	}
	refuse := func(rule, remedy string) error {
		return &agg.Problem{Code: "would-lose", Object: name, Option: "plane", Value: to, Rule: rule, Remedy: remedy}
	}
	estate, lost, err := handover.ReadEstate(name)
	switch {
	case iface.IsAbsent(err):
		return nil, refuse("its device is in another network namespace, and that of plane "+to+" is made here", "bring it back with `ip link set "+name+" netns ...`")
	case err != nil:
		return nil, err
	case len(lost) > 0:
		return nil, refuse("its device is another one on plane "+to+", and these would be lost: "+strings.Join(lost, "; "),
			"take them away first, and make them again afterwards; nothing was changed")
	}
	return &kernelLegacy{name, estate}, nil
}

// kernelLegacy is what one device leaves to the next.
type kernelLegacy struct {
	name   string
	estate handover.Estate
}

// Make implements legacy. The plane finds a device that is there; so does a plane that
// could not be left.
func (l *kernelLegacy) Make(plane string, spec agg.Spec) (err error) {
	kind, data := driverOf(plane), []byte(nil)
	switch {
	case onPair(plane):
		kind, data = "veth", device.PeerData(l.name)
	case plane == "bonding":
		if data, err = bonding.Birth(spec); err != nil {
			return err
		}
	}
	if is, err := iface.ByIndex(l.estate.Index, iface.Here); err == nil && is.Kind == kind {
		return nil
	}
	return l.estate.Make(kind, data)
}

// Give implements legacy.
func (l *kernelLegacy) Give() error { return l.estate.Take() }

// Remove implements legacy.
func (l *kernelLegacy) Remove() error {
	if err := iface.Delete(l.estate.Index); err != nil && !iface.IsAbsent(err) {
		return err
	}
	return nil
}
