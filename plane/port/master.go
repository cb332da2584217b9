package port

import (
	"slices"

	"github.com/yokelag/yoke/internal/iface"
)

// master says what belongs to the device that somebody made an interface a port of.
type master struct {
	// any: there is one, and the admin state is its own.
	any bool
	// addresses: it sets address and MTU of its ports too.
	addresses bool
}

// masterOf reads it. An interface that is gone has none.
func masterOf(index int) (m master) {
	l, err := iface.ByIndex(index, iface.Here)
	if err != nil || l.MasterIndex == 0 {
		return m
	}
	m.any = true
	above, err := iface.ByIndex(l.MasterIndex, iface.Here)
	m.addresses = err == nil && slices.Contains([]string{"bond", "team"}, above.Kind)
	return m
}
