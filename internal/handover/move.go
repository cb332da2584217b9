package handover

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/iface"
)

// Remove takes from the interface what the holding says, routes first, so that the
// kernel takes none by itself. What is gone already is no error. IPv6 link-local
// addresses stay.
func (h Holding) Remove() error {
	var errs []error
	for _, m := range slices.Backward(h.Routes) {
		errs = append(errs, ignore(request(unix.RTM_DELROUTE, 0, route(m, h.Index, h.Index)), unix.ESRCH, unix.ENOENT))
	}
	for _, m := range slices.Backward(h.Addresses) {
		errs = append(errs, ignore(request(unix.RTM_DELADDR, 0, m), unix.EADDRNOTAVAIL, unix.ENODEV))
	}
	for _, m := range h.Neighbours {
		errs = append(errs, ignore(request(unix.RTM_DELNEIGH, 0, m), unix.ENOENT, unix.ENODEV))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove addresses and routes of %s: %w", h.Name, err)
	}
	return nil
}

// Give gives the named interface what the holding says, and sets it up first. What it
// has already is no error. Where it is not the interface that had it, addresses are used
// at once, without duplicate address detection: it was done.
func (h Holding) Give(to string) error { return h.give(to, to != h.Name) }

// give is Give; other says that it is not the interface that had it.
func (h Holding) give(to string, other bool) error {
	l, err := iface.ByName(to, iface.Here)
	if err != nil {
		return fmt.Errorf("move addresses of %s to %s: %w", h.Name, to, err)
	}
	if err := iface.Change(l.Index).Flag(unix.IFF_UP, true).Do(); err != nil {
		return err
	}
	var errs []error
	add := h.Addresses
	if other {
		add = slices.Concat(h.LinkLocal, h.Addresses)
	}
	for _, m := range add {
		flags := uint32(0)
		if other {
			flags = unix.IFA_F_NODAD
		}
		errs = append(errs, ignore(request(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_REPLACE, address(m, h.Name, l.Name, l.Index, flags)), unix.EEXIST))
	}
	for _, m := range h.Neighbours {
		m = slices.Clone(m)
		nl.NativeEndian().PutUint32(m[4:], uint32(l.Index))
		errs = append(errs, request(unix.RTM_NEWNEIGH, unix.NLM_F_CREATE|unix.NLM_F_REPLACE, without(m, sizeofNdMsg, ndaCacheInfo, ndaProbes)))
	}
	errs = append(errs, h.giveRoutes(l.Index))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("move addresses and routes of %s to %s: %w", h.Name, to, err)
	}
	return nil
}

// giveRoutes adds routes until nothing more can be: one may need another to reach its
// gateway.
func (h Holding) giveRoutes(index int) error {
	left := h.Routes
	for {
		var failed [][]byte
		var errs []error
		for _, m := range left {
			err := ignore(request(unix.RTM_NEWROUTE, unix.NLM_F_CREATE, route(m, h.Index, index)), unix.EEXIST)
			if err != nil {
				failed = append(failed, m)
				errs = append(errs, fmt.Errorf("route to %s: %w", routeText(m), err))
			}
		}
		if len(failed) == 0 || len(failed) == len(left) {
			return errors.Join(errs...)
		}
		left = failed
	}
}

// keptFlags are those of an address that a user may give.
const keptFlags = unix.IFA_F_NODAD | unix.IFA_F_HOMEADDRESS | unix.IFA_F_MANAGETEMPADDR | unix.IFA_F_NOPREFIXROUTE | unix.IFA_F_MCAUTOJOIN

// address is an RTM_NEWADDR for another interface.
func address(m []byte, from, to string, index int, more uint32) []byte {
	m = slices.Clone(m)
	head := nl.DeserializeIfAddrmsg(m)
	head.Index = uint32(index)
	flags := uint32(head.Flags)
	head.Flags = 0
	out := head.Serialize()
	for _, a := range attributes(m[unix.SizeofIfAddrmsg:]) {
		switch a.kind {
		case unix.IFA_FLAGS:
			flags = nl.NativeEndian().Uint32(a.value)
			continue
		case unix.IFA_LABEL:
			label := strings.TrimRight(string(a.value), "\x00")
			if label = to + strings.TrimPrefix(label, from); len(label) >= unix.IFNAMSIZ {
				label = to
			}
			a.value = append([]byte(label), 0)
		}
		out = append(out, nl.NewRtAttr(int(a.kind), a.value).Serialize()...)
	}
	return append(out, nl.NewRtAttr(unix.IFA_FLAGS, nl.Uint32Attr(flags&keptFlags|more)).Serialize()...)
}

// route is an RTM_NEWROUTE that leads through another interface.
func route(m []byte, from, to int) []byte {
	m = slices.Clone(m)
	native := nl.NativeEndian()
	native.PutUint32(m[8:], native.Uint32(m[8:])&unix.RTNH_F_ONLINK)
	out := slices.Clone(m[:unix.SizeofRtMsg])
	for _, a := range attributes(m[unix.SizeofRtMsg:]) {
		switch a.kind {
		case unix.RTA_CACHEINFO:
			// The lifetime of a route that a router told of, in hundredths of a second.
			if ticks := int32(native.Uint32(a.value[8:])); ticks > 0 {
				out = append(out, nl.NewRtAttr(unix.RTA_EXPIRES, nl.Uint32Attr(uint32(ticks/100))).Serialize()...)
			}
			continue
		case unix.RTA_OIF:
			if native.Uint32(a.value) == uint32(from) {
				native.PutUint32(a.value, uint32(to))
			}
		case unix.RTA_MULTIPATH:
			eachHop(a.value, func(hop []byte) {
				hop[2] &= unix.RTNH_F_ONLINK
				if native.Uint32(hop[4:]) == uint32(from) {
					native.PutUint32(hop[4:], uint32(to))
				}
			})
		}
		out = append(out, nl.NewRtAttr(int(a.kind), a.value).Serialize()...)
	}
	return out
}

func ignore(err error, harmless ...error) error {
	for _, h := range harmless {
		if errors.Is(err, h) {
			return nil
		}
	}
	return err
}
