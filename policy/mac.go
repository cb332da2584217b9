package policy

import (
	"hash/fnv"
	"slices"

	"github.com/yokelag/yoke/agg"
)

// OwnMAC is the address that a port had before it was one. A port that was replaced by
// another interface of its name has another ifindex.
type OwnMAC struct {
	Index int     `json:"ifindex"`
	MAC   agg.MAC `json:"mac"`
}

// rememberOwn keeps the addresses that ports had when they were seen first. It is needed
// where ports do not all have the same address, and for the frames of LACP, which come
// from the port's own; elsewhere it remembers nothing.
func rememberOwn(c agg.Config, ports []PortInput, known map[string]OwnMAC) map[string]OwnMAC {
	if c.FailOverMAC == agg.MACSame && c.Mode != agg.LACP {
		return nil
	}
	out := map[string]OwnMAC{}
	for _, p := range c.Ports {
		own, ok := known[p.Name]
		i := slices.IndexFunc(ports, func(f PortInput) bool { return f.Link.Name == p.Name })
		if i >= 0 && ports[i].Link.Present && (!ok || own.Index != ports[i].Link.Index) {
			own, ok = OwnMAC{Index: ports[i].Link.Index, MAC: ports[i].Link.MAC}, true
		}
		if ok {
			out[p.Name] = own
		}
	}
	return out
}

// addresses fills in who carries which address. It comes last, since the active port is
// the first in the plan's order.
//
// Under follow the bonding driver swaps addresses at each change, so that who has which
// depends on all changes before. Here it is a function of the active port alone: the port
// whose own address the aggregate has lends it, and has that of the active port instead.
func (b *builder) addresses() {
	if b.c.FailOverMAC == agg.MACSame || b.c.Mode != agg.ActiveBackup {
		return
	}
	active := slices.IndexFunc(b.plan.Ports, func(p agg.PlanPort) bool { return p.Order == 0 })
	if b.c.FailOverMAC == agg.MACActive {
		b.plan.MAC = b.aggregateMAC(active)
		b.next.MAC = b.plan.MAC
	}
	own := b.ownMACs()
	for i := range b.plan.Ports {
		b.plan.Ports[i].MAC = own[i]
	}
	if active >= 0 && b.c.FailOverMAC != agg.MACActive {
		if home := slices.Index(own, b.plan.MAC); b.c.FailOverMAC == agg.MACFollow && home >= 0 && home != active {
			b.plan.Ports[home].MAC = own[active]
		}
		b.plan.Ports[active].MAC = b.plan.MAC
	}
	for i := range b.plan.Ports {
		if b.plan.Ports[i].MAC == b.plan.MAC {
			b.plan.Ports[i].MAC = agg.MAC{} // which says the same
		}
	}
}

// aggregateMAC is the address of the active port; without one that of the last, and
// before there was any that of the aggregate.
func (b *builder) aggregateMAC(active int) agg.MAC {
	if active >= 0 {
		if own, ok := b.next.Own[b.plan.Ports[active].Name]; ok {
			return own.MAC
		}
	}
	if !b.in.Previous.MAC.IsZero() {
		return b.in.Previous.MAC
	}
	return b.in.MAC
}

// ownMACs are the ports' own addresses. Under follow no port but the first that has it may
// keep that of the aggregate: another gets one that is made of both.
func (b *builder) ownMACs() []agg.MAC {
	out := make([]agg.MAC, len(b.plan.Ports))
	for i, p := range b.plan.Ports {
		mac := b.next.Own[p.Name].MAC
		if b.c.FailOverMAC == agg.MACFollow && mac == b.plan.MAC && slices.Contains(out[:i], mac) {
			mac = substitute(p.Name, mac)
		}
		out[i] = mac
	}
	return out
}

// substitute makes a locally administered address that is always the same for a port and
// an aggregate, and hardly ever that of somebody else.
func substitute(port string, aggregate agg.MAC) (mac agg.MAC) {
	h := fnv.New64a()
	_, _ = h.Write(append(aggregate[:], port...)) // never fails
	sum := h.Sum(nil)
	copy(mac[:], sum)
	mac[0] = mac[0]&^1 | 2
	return mac
}
