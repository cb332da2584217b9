package port

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
)

// disableIPv6 is the sysctl of an interface that keeps IPv6 off it.
const disableIPv6 = "disable_ipv6"

// original notes everything that a take may change.
func (k *Keeper) original(l iface.Link) (Record, error) {
	r := Record{
		Name: l.Name, Index: l.Index, Phase: taking, MTU: l.MTU, AdminUp: l.AdminUp(),
		AllMulti: l.RawFlags&unix.IFF_ALLMULTI != 0, Promisc: l.RawFlags&unix.IFF_PROMISC != 0, GenMode: l.GenMode,
	}
	copy(r.MAC[:], l.HardwareAddr)
	if v, err := iface.Sysctl("ipv6", l.Name, disableIPv6); err == nil {
		r.DisableIPv6 = v
	}
	addresses, err := iface.Addresses(l.Index, iface.Here)
	if err != nil {
		return Record{}, err
	}
	for _, a := range addresses {
		if isLinkLocal6(a.Prefix) {
			r.LinkLocal = append(r.LinkLocal, LinkLocal{a.Prefix, a.Flags & givenFlags})
		}
	}
	k.noteVLANFilters(&r)
	return r, nil
}

// givenFlags are the flags of an address that come from a user and not from the kernel.
const givenFlags = unix.IFA_F_NODAD | unix.IFA_F_NOPREFIXROUTE | unix.IFA_F_HOMEADDRESS

// isLinkLocal6 reports whether the address is one that the kernel makes by itself.
func isLinkLocal6(p netip.Prefix) bool { return p.Addr().Is6() && p.Addr().IsLinkLocalUnicast() }

// change makes the interface a port, step by step, the journal first. The managers are
// next, so that they do not answer the changes that follow.
func (k *Keeper) change(ctx context.Context, r Record, w Want) error {
	for _, fn := range []func() error{
		func() error {
			k.plan(ctx, &r)
			r.Given = w.MAC
			k.journal.Ports = append(k.journal.Ports, r)
			return k.journal.save(k.path)
		},
		func() error { return k.tell(ctx, r.Index) },
		func() error { return quietGenMode(r) },
		func() error { return quietIPv6(r) },
		func() error { return k.setVLANFilters(r, false) },
		func() error { return become(r, w) },
	} {
		if err := k.step(fn); err != nil {
			return err
		}
	}
	return k.mark(r.Index, taken)
}

// quietGenMode has the kernel make no link-local address, and says by that to others that
// somebody has taken the interface.
func quietGenMode(r Record) error {
	if r.GenMode < 0 || r.GenMode == iface.GenModeNone {
		return nil
	}
	return iface.Change(r.Index).GenMode(iface.GenModeNone).Do()
}

// quietIPv6 keeps IPv6 off the interface. Where the sysctl is not ours to write, the
// addresses that are there stay and have to be removed.
func quietIPv6(r Record) error {
	if r.DisableIPv6 == "1" {
		return nil // then it has none
	}
	err := iface.SetSysctl("ipv6", r.Name, disableIPv6, "1")
	if err == nil {
		return nil // and the kernel has removed them all
	}
	return errors.Join(ignoreClosed(err), removeLinkLocal(r.Index))
}

// become gives the interface address, MTU and flags of a port in one request: each waits
// for the kernel's one lock for all interfaces, which others may hold for milliseconds at a
// time. Where the kernel refuses, one after the other says what it was, and some drivers
// take an address only by itself.
func become(r Record, w Want) error {
	s := iface.Change(r.Index).Flag(unix.IFF_ALLMULTI|unix.IFF_UP, true)
	if !w.MAC.IsZero() && w.MAC != r.MAC {
		s.MAC(w.MAC[:])
	}
	if w.MTU != 0 && w.MTU != r.MTU {
		s.MTU(w.MTU)
	}
	if err := s.Do(); err == nil || iface.IsAbsent(err) {
		return err
	}
	for _, fn := range []func() error{
		func() error { return setMAC(r.Index, w.MAC) },
		func() error { return setMTU(r.Index, w.MTU) },
		func() error { return setFlag(r.Index, unix.IFF_ALLMULTI, true) },
		func() error { return setFlag(r.Index, unix.IFF_UP, true) },
	} {
		if err := fn(); err != nil {
			return err
		}
	}
	return nil
}

// plan notes in the record whom tell will tell.
func (k *Keeper) plan(ctx context.Context, r *Record) {
	r.Networkd = k.managers.networkdRuns()
	managed, err := k.managers.networkManagerManages(ctx, r.Name)
	if err != nil {
		r.Notes = append(r.Notes, err.Error())
	}
	r.NetworkManager = managed
}

// tell says to the network managers that the port is taken. A manager that does not
// listen is a note and no failure: it would be one more reason for an outage.
func (k *Keeper) tell(ctx context.Context, index int) error {
	r := k.record(index)
	if r.Networkd {
		if err := k.managers.networkdTake(ctx, r.Name); err != nil {
			r.Notes = append(r.Notes, err.Error())
		}
	}
	if r.NetworkManager {
		if err := k.managers.setManaged(ctx, r.Name, false); err != nil {
			r.Notes = append(r.Notes, err.Error())
		}
	}
	return nil
}

// again makes address and MTU of a port that is taken as wanted. Where somebody gave the
// interface another name, or its address becomes another, the journal has that first: a
// release by the old name must not find it any more. What was told by the old name is told
// by the new one before that, so that whoever dies between tells it once more.
func (k *Keeper) again(ctx context.Context, l iface.Link, w Want) error {
	if r := k.record(l.Index); r.Name != l.Name {
		if err := k.step(func() error { k.retell(ctx, r, l.Name); return nil }); err != nil {
			return err
		}
	}
	if r := k.record(l.Index); r.Name != l.Name || r.Given != w.MAC {
		r.Name, r.Given = l.Name, w.MAC
		if err := k.step(func() error { return k.journal.save(k.path) }); err != nil {
			return err
		}
	}
	if err := setMAC(l.Index, w.MAC); err != nil {
		return fmt.Errorf("change the address of port %s: %w", l.Name, err)
	}
	if err := setMTU(l.Index, w.MTU); err != nil {
		return fmt.Errorf("change the MTU of port %s: %w", l.Name, err)
	}
	return nil
}

// giveBack restores a port from its record and forgets it. Every step is done whatever
// became of the others, and may be done twice; the record is kept where one failed.
func (k *Keeper) giveBack(ctx context.Context, index int) error {
	r := *k.record(index)
	if err := k.mark(index, releasing); err != nil {
		return fmt.Errorf("release %s: %w", r.Name, err)
	}
	steps := k.restoration
	if _, err := iface.NameOf(index); iface.IsAbsent(err) {
		steps = k.restorationAway
	}
	var errs []error
	for _, fn := range steps(ctx, r) {
		err := k.step(fn)
		if errors.Is(err, errCrash) {
			return err
		}
		if err != nil && !iface.IsAbsent(err) {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("release %s: %w", r.Name, err)
	}
	return k.forget(index)
}

// restoration is the steps back. An interface that was down goes down first, so that
// nothing of the rest is seen outside. The MTU comes before IPv6, which does not exist
// below 1280 bytes, and IPv6 comes last, so that the link-local address is made from
// the right address; the managers come after all, to find the port as they left it.
func (k *Keeper) restoration(ctx context.Context, r Record) []func() error {
	master := masterOf(r.Index)
	return []func() error{
		func() error {
			if r.AdminUp || master.any {
				return nil
			}
			return setFlag(r.Index, unix.IFF_UP, false)
		},
		func() error { return removeClsact(r) },
		func() error { return k.setVLANFilters(r, true) },
		func() error { return leaveSlow(r) },
		func() error { return setFlag(r.Index, unix.IFF_ALLMULTI, r.AllMulti) },
		func() error {
			if !r.PromiscSet {
				return nil
			}
			return setFlag(r.Index, unix.IFF_PROMISC, r.Promisc)
		},
		func() error {
			if master.addresses {
				return nil
			}
			return setMAC(r.Index, r.MAC)
		},
		func() error {
			if master.addresses {
				return nil
			}
			return setMTU(r.Index, r.MTU)
		},
		func() error { return setGenMode(r.Index, r.GenMode) },
		func() error { return restoreIPv6(r) },
		func() error {
			if r.AdminUp && !master.any {
				return setFlag(r.Index, unix.IFF_UP, true)
			}
			return nil
		},
		func() error { return restoreLinkLocal(r) },
		func() error { return k.untell(ctx, r) },
	}
}

// restorationAway is the steps back of an interface that is not here.
func (k *Keeper) restorationAway(ctx context.Context, r Record) []func() error {
	return []func() error{
		func() error { return restoreAway(r, k.space.ID()) },
		func() error { return k.untell(ctx, r) },
	}
}

// retell has systemd-networkd, which knows ports by name, know one that was renamed.
// NetworkManager knows them by themselves.
func (k *Keeper) retell(ctx context.Context, r *Record, name string) {
	if !r.Networkd {
		return
	}
	err := k.managers.networkdTake(ctx, name)
	if k.free(r.Index, r.Name) {
		err = errors.Join(err, k.managers.networkdRelease(ctx, r.Name))
	}
	if err != nil {
		r.Notes = append(r.Notes, err.Error())
	}
}

// free reports whether no port but the one of the index goes by the name in the journal:
// two may have swapped theirs.
func (k *Keeper) free(index int, name string) bool {
	return !slices.ContainsFunc(k.journal.Ports, func(r Record) bool { return r.Index != index && r.Name == name })
}

// untell takes back what tell has said, by the name in the journal and by the one that the
// interface has now.
func (k *Keeper) untell(ctx context.Context, r Record) error {
	names := []string{r.Name}
	now, absent := iface.NameOf(r.Index)
	if absent == nil && now != r.Name {
		names = append(names, now)
	}
	var errs []error
	for _, name := range names {
		if r.Networkd && k.free(r.Index, name) {
			errs = append(errs, k.managers.networkdRelease(ctx, name))
		}
	}
	if r.NetworkManager && absent == nil {
		// A manager that is gone has nothing to be told.
		_ = k.managers.setManaged(ctx, now, true)
	}
	return errors.Join(errs...)
}

// setMAC sets the address where it differs.
func setMAC(index int, mac agg.MAC) error {
	l, err := iface.ByIndex(index, iface.Here)
	if err != nil || mac.IsZero() || net.HardwareAddr(mac[:]).String() == l.HardwareAddr.String() {
		return err
	}
	return evenWhileUp(l.AdminUp(),
		func() error { return iface.Change(index).MAC(mac[:]).Do() },
		func(up bool) error { return setFlag(index, unix.IFF_UP, up) })
}

// evenWhileUp sets an address. Some drivers take one only while the interface is down, and
// say EBUSY; then it goes down for that moment. After any other refusal it would lose its
// link for nothing.
func evenWhileUp(up bool, set func() error, admin func(up bool) error) error {
	err := set()
	if !up || !errors.Is(err, unix.EBUSY) {
		return err
	}
	if down := admin(false); down != nil {
		return errors.Join(err, down)
	}
	err = set()
	return errors.Join(err, admin(true))
}

func setMTU(index, bytes int) error {
	l, err := iface.ByIndex(index, iface.Here)
	if err != nil || bytes == 0 || l.MTU == bytes {
		return err
	}
	err = iface.Change(index).MTU(bytes).Do()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ERANGE) {
		return mtuRefused(l, bytes)
	}
	return err
}

// mtuRefused says what the interface takes, where the kernel tells.
func mtuRefused(l iface.Link, bytes int) *agg.Problem {
	p := &agg.Problem{
		Code: "mtu-refused", Object: l.Name, Option: "mtu", Value: strconv.Itoa(bytes),
		Rule: "the interface does not take an MTU of so many bytes", Remedy: "`ip -d link show " + l.Name + "` tells its minmtu and maxmtu",
	}
	best := bytes
	switch {
	case l.MaxMTU != 0 && bytes > l.MaxMTU:
		best, p.Rule = l.MaxMTU, fmt.Sprintf("the interface takes an MTU of %d bytes at most", l.MaxMTU)
	case bytes < l.MinMTU:
		best, p.Rule = l.MinMTU, fmt.Sprintf("the interface takes an MTU of %d bytes at least", l.MinMTU)
	}
	if best != bytes {
		p.Remedy = fmt.Sprintf("take mtu=%d", best)
		p.Fixes = []agg.Fix{{Word: "mtu", To: fmt.Sprintf("mtu=%d", best)}}
	}
	return p
}

// setFlag sets or clears a flag. Allmulti set so is the user's own flag, which no
// socket takes back.
func setFlag(index int, flag uint32, on bool) error {
	l, err := iface.ByIndex(index, iface.Here)
	if err != nil || l.RawFlags&flag != 0 == on {
		return err
	}
	return iface.Change(index).Flag(flag, on).Do()
}

func setGenMode(index, mode int) error {
	l, err := iface.ByIndex(index, iface.Here)
	if err != nil || mode < 0 || l.GenMode < 0 || l.GenMode == mode {
		return err
	}
	return iface.Change(index).GenMode(mode).Do()
}

// removeLinkLocal removes the addresses that stay where the sysctl is closed to us.
func removeLinkLocal(index int) error {
	addresses, err := iface.Addresses(index, iface.Here)
	if err != nil {
		return err
	}
	for _, a := range addresses {
		if !isLinkLocal6(a.Prefix) {
			continue
		}
		if err := removeAddress(index, a.Prefix); err != nil {
			return err
		}
	}
	return nil
}

// restoreIPv6 writes the sysctl back, by the name the interface has now.
func restoreIPv6(r Record) error {
	if r.DisableIPv6 == "" {
		return nil
	}
	l, err := iface.ByIndex(r.Index, iface.Here)
	if err != nil {
		return err
	}
	return ignoreClosed(iface.SetSysctl("ipv6", l.Name, disableIPv6, r.DisableIPv6))
}

// restoreLinkLocal puts the link-local addresses back that the kernel did not make
// again by itself: those that were given by hand, and all where the sysctl is closed.
// Then it removes those that the kernel made anew although others were there: of an
// address that was changed while the port was up, say.
func restoreLinkLocal(r Record) error {
	if len(r.LinkLocal) == 0 || r.DisableIPv6 == "1" {
		return nil
	}
	addresses, err := iface.Addresses(r.Index, iface.Here)
	if err != nil {
		return err
	}
	have := map[netip.Prefix]bool{}
	for _, a := range addresses {
		have[a.Prefix] = isLinkLocal6(a.Prefix)
	}
	for _, a := range r.LinkLocal {
		if have[a.Prefix] {
			continue
		}
		addr := addrOf(a.Prefix)
		addr.Flags = int(a.Flags)
		if err := netlink.AddrAdd(linkOf(r.Index), addr); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("restore %s: %w", a.Prefix, err)
		}
	}
	for prefix, fresh := range have {
		before := slices.ContainsFunc(r.LinkLocal, func(a LinkLocal) bool { return a.Prefix == prefix })
		if !fresh || before {
			continue
		}
		if err := removeAddress(r.Index, prefix); err != nil {
			return err
		}
	}
	return nil
}

func removeAddress(index int, prefix netip.Prefix) error {
	err := netlink.AddrDel(linkOf(index), addrOf(prefix))
	if err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
		return fmt.Errorf("remove %s: %w", prefix, err)
	}
	return nil
}

func linkOf(index int) netlink.Link {
	return &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: index}}
}

func addrOf(p netip.Prefix) *netlink.Addr {
	return &netlink.Addr{IPNet: &net.IPNet{
		IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
	}}
}

// ignoreClosed forgives sysctl files that are not there or not ours to write: no IPv6,
// or /proc/sys read-only as in containers. The generation mode then does the work.
func ignoreClosed(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) {
		return nil
	}
	return err
}
