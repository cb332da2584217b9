package user

import (
	"fmt"

	"github.com/vishvananda/netlink"
)

// ownDrops counts the frames that filters at a port's tc hooks have dropped, by the counter
// of its clsact qdisc: 32 bits that begin anew with every qdisc.
type ownDrops struct {
	last uint32
	sum  uint64
}

// see adds what the counter has grown by. One that fell by less than half of what it holds
// is another qdisc's, which began at 0; by more, it has come round.
func (d *ownDrops) see(now uint32) {
	grown := now - d.last
	if grown >= 1<<31 {
		grown = now
	}
	d.sum, d.last = d.sum+uint64(grown), now
}

// look adds what was dropped since the last look. What cannot be read now is added the next
// time.
func (d *ownDrops) look(ifindex int) {
	if now, ok := clsactDrops(ifindex); ok {
		d.see(now)
	}
}

// clsactDrops reads the counter, 0 where there is no qdisc: the next one begins so. It is
// false where nobody can tell.
func clsactDrops(ifindex int) (uint32, bool) {
	list, err := netlink.QdiscList(atIndex(ifindex))
	if err != nil {
		return 0, false
	}
	for _, q := range list {
		if s := q.Attrs().Statistics; q.Type() == "clsact" && s != nil && s.Queue != nil {
			return s.Queue.Drops, true
		}
	}
	return 0, true
}

// filtersOn names the filters of others on an interface, and counts the fences there.
func filtersOn(name string, ifindex int) (foreign []string, fences int) {
	for _, ingress := range []bool{true, false} {
		list, err := netlink.FilterList(atIndex(ifindex), hookParent(ingress))
		if err != nil {
			continue // no clsact qdisc
		}
		for _, f := range list {
			if a := f.Attrs(); a.Handle != fenceHandle {
				foreign = append(foreign, fmt.Sprintf("%s %s: %s filter, priority %d", name, hookName(ingress), f.Type(), a.Priority))
			} else {
				fences++
			}
		}
	}
	return foreign, fences
}

func atIndex(ifindex int) netlink.Link {
	return &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: ifindex}}
}
