package ebpf

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/clsact"
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
		if list, err = clsact.Filters(h.ifindex, h.ingress); err != nil {
			return err
		}
	}
	priority, err := priorityFor(h, list)
	if err != nil {
		return err
	}
	return filter(h, priority).Put(h.ifindex, h.ingress, p.FD())
}

func filter(h hook, priority uint16) clsact.Filter {
	return clsact.Filter{Kind: "bpf", Handle: filterHandle, Priority: priority, Name: filterName(h)}
}

func filterName(h hook) string { return ourPrefix + h.name }

// priorityFor finds our filter's priority in a list, or the outermost one that no filter
// of another kind has taken.
func priorityFor(h hook, list []clsact.Filter) (uint16, error) {
	if i := slices.IndexFunc(list, isOurFilter); i >= 0 {
		return list[i].Priority, nil
	}
	free := func(n uint16) bool {
		return !slices.ContainsFunc(list, func(f clsact.Filter) bool { return f.Priority == n })
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
	list, err := clsact.Filters(h.ifindex, h.ingress)
	if isGone(err) {
		return nil // no interface or no clsact: nothing is attached
	}
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, isOurFilter)
	if i < 0 {
		return nil
	}
	if err := filter(h, list[i].Priority).Drop(h.ifindex, h.ingress); err != nil && !isGone(err) {
		return err
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

func isOurFilter(f clsact.Filter) bool {
	return f.Kind == "bpf" && strings.HasPrefix(f.Name, ourPrefix)
}

// isKin tells filters of Yoke that are no plane's: those that speak LACP for a dead daemon.
func isKin(f clsact.Filter) bool {
	return f.Kind == "bpf" && strings.HasPrefix(f.Name, kinPrefix)
}

func isGone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EINVAL)
}
