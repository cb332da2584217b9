package ebpf

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// filters attaches by direct-action filters in a clsact qdisc. Filters belong to the
// interface and outlive the daemon by themselves. A qdisc that was there before stays;
// one that we made goes with our last filter, if nobody else has put one there.
type filters struct{ memory *memory }

// Our filters are told by their handle and name. The first priority at ingress and the
// last at egress put them before and behind those of others.
const (
	filterHandle  = cookieBase
	firstPriority = 1
	lastPriority  = 0xffff
)

func (c filters) attach(h hook, p *ebpf.Program) error {
	if err := c.ensureQdisc(h); err != nil {
		return err
	}
	priority, err := priorityFor(h)
	if err != nil {
		return err
	}
	f := filter(h, priority)
	f.Fd, f.Name, f.DirectAction = p.FD(), filterName(h), true
	if err := netlink.FilterReplace(f); err != nil {
		return fmt.Errorf("add filter %s to interface %d: %w", f.Name, h.ifindex, err)
	}
	return nil
}

func filter(h hook, priority uint16) *netlink.BpfFilter {
	return &netlink.BpfFilter{FilterAttrs: netlink.FilterAttrs{
		LinkIndex: h.ifindex, Parent: clsactParent(h.ingress), Handle: filterHandle,
		Protocol: unix.ETH_P_ALL, Priority: priority,
	}}
}

func filterName(h hook) string { return ourPrefix + h.name }

// priorityFor finds our filter's priority, or the outermost one that no filter of
// another kind has taken.
func priorityFor(h hook) (uint16, error) {
	list, err := filtersOn(h.ifindex, h.ingress)
	if err != nil {
		return 0, err
	}
	if i := slices.IndexFunc(list, isOurFilter); i >= 0 {
		return list[i].Attrs().Priority, nil
	}
	free := func(n uint16) bool {
		return !slices.ContainsFunc(list, func(f netlink.Filter) bool { return f.Attrs().Priority == n })
	}
	if h.ingress {
		for n := uint16(firstPriority); n < lastPriority; n++ {
			if free(n) {
				return n, nil
			}
		}
	}
	for n := uint16(lastPriority); n > firstPriority; n-- {
		if free(n) {
			return n, nil
		}
	}
	return 0, fmt.Errorf("interface %d has no free filter priority", h.ifindex)
}

func (c filters) detach(h hook) error {
	list, err := filtersOn(h.ifindex, h.ingress)
	if err != nil {
		return nil //nolint:nilerr // no interface or no clsact: nothing is attached
	}
	if i := slices.IndexFunc(list, isOurFilter); i >= 0 {
		if err := netlink.FilterDel(filter(h, list[i].Attrs().Priority)); err != nil && !isGone(err) {
			return fmt.Errorf("remove filter %s from interface %d: %w", filterName(h), h.ifindex, err)
		}
	}
	return c.dropQdisc(h)
}

func (c filters) ensureQdisc(h hook) error {
	err := netlink.QdiscAdd(qdisc(h.ifindex))
	switch {
	case err == nil:
		return c.memory.update(h.place, func(t *yokeTaken) { t.MadeClsact = uint32(h.ifindex) })
	case errors.Is(err, unix.EEXIST):
		return nil
	default:
		return fmt.Errorf("add a clsact qdisc to interface %d: %w", h.ifindex, err)
	}
}

// dropQdisc removes the qdisc where we made it and it is empty now.
func (c filters) dropQdisc(h hook) error {
	made, err := c.memory.of(h.place)
	if err != nil || int(made.MadeClsact) != h.ifindex {
		return err
	}
	for _, ingress := range []bool{true, false} {
		if list, err := filtersOn(h.ifindex, ingress); err != nil || len(list) > 0 {
			return nil //nolint:nilerr // gone, or in use
		}
	}
	if err := netlink.QdiscDel(qdisc(h.ifindex)); err != nil && !isGone(err) {
		return fmt.Errorf("remove the clsact qdisc of interface %d: %w", h.ifindex, err)
	}
	return c.memory.update(h.place, func(t *yokeTaken) { t.MadeClsact = 0 })
}

func qdisc(ifindex int) *netlink.Clsact {
	return &netlink.Clsact{QdiscAttrs: netlink.QdiscAttrs{
		LinkIndex: ifindex, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT,
	}}
}

func filtersOn(ifindex int, ingress bool) ([]netlink.Filter, error) {
	return netlink.FilterList(byIndex(ifindex), clsactParent(ingress))
}

// byIndex names a link by nothing but its ifindex, without asking the kernel.
func byIndex(ifindex int) netlink.Link {
	a := netlink.NewLinkAttrs()
	a.Index = ifindex
	return &netlink.Device{LinkAttrs: a}
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

func isGone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EINVAL)
}
