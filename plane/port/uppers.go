package port

import (
	"slices"

	"github.com/yokelag/yoke/internal/iface"
)

// upperKinds are the kinds of interfaces that stand on another and take its frames.
func upperKinds() []string { return []string{"vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"} }

// WatchUppers watches the interfaces that stand on others in the calling thread's namespace,
// for all keepers there.
func WatchUppers() (*iface.Kinds, error) { return iface.WatchKinds(upperKinds()...) }

// Know gives the keeper what [WatchUppers] made in its namespace. Without it, or with nil,
// each check has the kernel walk over all interfaces.
func (k *Keeper) Know(uppers *iface.Kinds) { k.uppers = uppers }

// upperLinks reads the interfaces that stand on others.
func (k *Keeper) upperLinks() ([]iface.Link, error) {
	if k.uppers == nil {
		return iface.OfKinds(upperKinds()...)
	}
	links, err := k.uppers.List()
	return slices.Clone(links), err
}
