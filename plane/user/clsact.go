package user

import (
	"fmt"

	"github.com/vishvananda/netlink"
)

func findClsact(ifindex int) (netlink.Qdisc, error) {
	list, err := netlink.QdiscList(atIndex(ifindex))
	if err != nil {
		return nil, fmt.Errorf("list the qdiscs of interface %d: %w", ifindex, err)
	}
	for _, q := range list {
		if q.Type() == "clsact" {
			return q, nil
		}
	}
	return nil, nil
}

// clsactDrops is how many frames filters at the port's tc hooks have dropped.
func clsactDrops(ifindex int) uint64 {
	q, err := findClsact(ifindex)
	if err != nil || q == nil || q.Attrs().Statistics == nil || q.Attrs().Statistics.Queue == nil {
		return 0
	}
	return uint64(q.Attrs().Statistics.Queue.Drops)
}

// foreignFilters names the filters of others on an interface.
func foreignFilters(name string, ifindex int) []string {
	var out []string
	for _, ingress := range []bool{true, false} {
		list, err := netlink.FilterList(atIndex(ifindex), hookParent(ingress))
		if err != nil {
			continue // no clsact qdisc
		}
		for _, f := range list {
			if a := f.Attrs(); a.Handle != fenceHandle {
				out = append(out, fmt.Sprintf("%s %s: %s filter, priority %d", name, hookName(ingress), f.Type(), a.Priority))
			}
		}
	}
	return out
}

func atIndex(ifindex int) netlink.Link {
	return &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: ifindex}}
}
