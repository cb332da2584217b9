package ebpf

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/plane/port"
)

// filters attaches by direct-action filters in a clsact qdisc. Filters belong to the
// interface and outlive the daemon by themselves. The qdisc stays for as long as the port
// is one: making and removing it drops what the interface sends for a moment.
type filters struct{ ports *port.Keeper }

// Our filters are told by their handle and name. The first priority at ingress and the
// last at egress put them before and behind those of others.
const (
	filterHandle  = cookieBase
	firstPriority = 1
	lastPriority  = 0xffff
)

// attach puts p at the place of our filter in a chain that was read just now, or at the
// place where it should be.
func (c filters) attach(h hook, p *ebpf.Program, now chain) (err error) {
	if now.ours() < 0 {
		if err := c.ensureQdisc(h); err != nil {
			return err
		}
	}
	list := now.filters
	if now.unsure {
		if list, err = filtersOn(h.ifindex, h.ingress); err != nil {
			return err
		}
	}
	priority, err := priorityFor(h, list)
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

// priorityFor finds our filter's priority in a list, or the outermost one that no filter
// of another kind has taken.
func priorityFor(h hook, list []netlink.Filter) (uint16, error) {
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
	if isGone(err) {
		return nil // no interface or no clsact: nothing is attached
	}
	if err != nil {
		return fmt.Errorf("look for filter %s on interface %d: %w", filterName(h), h.ifindex, err)
	}
	i := slices.IndexFunc(list, isOurFilter)
	if i < 0 {
		return nil
	}
	if err := netlink.FilterDel(filter(h, list[i].Attrs().Priority)); err != nil && !isGone(err) {
		return fmt.Errorf("remove filter %s from interface %d: %w", filterName(h), h.ifindex, err)
	}
	return nil
}

// ensureQdisc makes the qdisc that filters need. That of the aggregate's own device goes
// with the device.
func (c filters) ensureQdisc(h hook) error {
	if h.place == ofDevice {
		return port.AddClsact(h.ifindex)
	}
	return c.ports.EnsureClsact(h.ifindex)
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

// isKin tells filters of Yoke that are no plane's: those that speak LACP for a dead daemon.
func isKin(f netlink.Filter) bool {
	b, ok := f.(*netlink.BpfFilter)
	return ok && strings.HasPrefix(b.Name, kinPrefix)
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
