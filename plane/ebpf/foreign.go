package ebpf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"
)

// ourPrefix begins the name of every program and filter of ours.
const ourPrefix = "yoke_"

func direction(ingress bool) string {
	if ingress {
		return "ingress"
	}
	return "egress"
}

// foreign lists programs and filters of others on the interface.
func foreign(ifindex int) []string {
	return slices.Concat(foreignPrograms(ifindex, true), foreignPrograms(ifindex, false), foreignFilters(ifindex))
}

// foreignPrograms lists tcx programs on the interface that are not ours.
func foreignPrograms(ifindex int, ingress bool) []string {
	result, err := link.QueryPrograms(link.QueryOptions{Target: ifindex, Attach: attachType(ingress)})
	if err != nil {
		return nil // no tcx here, or no interface
	}
	var out []string
	for _, p := range result.Programs {
		name := programName(p.ID)
		if !strings.HasPrefix(name, ourPrefix) {
			out = append(out, fmt.Sprintf("%s %s: tcx program %d (%s)", linkName(ifindex), direction(ingress), p.ID, name))
		}
	}
	return out
}

func programName(id ebpf.ProgramID) string {
	p, err := ebpf.NewProgramFromID(id)
	if err != nil {
		return "unknown"
	}
	defer p.Close()
	info, err := p.Info()
	if err != nil {
		return "unknown"
	}
	return info.Name
}

// foreignFilters lists tc filters on the interface that are not ours.
func foreignFilters(ifindex int) []string {
	l, err := netlink.LinkByIndex(ifindex)
	if err != nil {
		return nil
	}
	var out []string
	for _, ingress := range []bool{true, false} {
		filters, err := netlink.FilterList(l, clsactParent(ingress))
		if err != nil {
			continue // no clsact qdisc
		}
		for _, f := range filters {
			if !isOurFilter(f) {
				a := f.Attrs()
				out = append(out, fmt.Sprintf("%s %s: %s filter, priority %d", l.Attrs().Name, direction(ingress), f.Type(), a.Priority))
			}
		}
	}
	return out
}

func isOurFilter(f netlink.Filter) bool {
	b, ok := f.(*netlink.BpfFilter)
	return ok && strings.HasPrefix(b.Name, ourPrefix)
}

func clsactParent(ingress bool) uint32 {
	if ingress {
		return netlink.HANDLE_MIN_INGRESS
	}
	return netlink.HANDLE_MIN_EGRESS
}

func linkName(ifindex int) string {
	l, err := netlink.LinkByIndex(ifindex)
	if err != nil {
		return fmt.Sprintf("interface %d", ifindex)
	}
	return l.Attrs().Name
}
