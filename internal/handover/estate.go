package handover

import (
	"errors"
	"fmt"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/iface"
)

// Estate is what an interface is and has, for another of its name and number to be in its
// place: settings, addresses, routes, neighbours, qdisc, master, and the VLANs above it
// with all of theirs. It holds messages of this boot.
type Estate struct {
	Holding
	link iface.Link
	// message is the RTM_NEWLINK that told of it.
	message []byte
	// fresh are neighbours that were learned.
	fresh   [][]byte
	qdisc   []byte
	sysctls []sysctl
	// masterData is what a bridge keeps of its port, vlans the VLANs of that.
	masterData []byte
	vlans      [][]byte
	above      []Estate
}

// ReadEstate notes what the named interface has, and changes nothing. Lost names what it
// has that another could not be given.
func ReadEstate(name string) (e Estate, lost []string, err error) {
	if e.Holding, err = Read(name); err != nil {
		return e, nil, err
	}
	if e.link, err = iface.ByIndex(e.Index, iface.Here); err != nil {
		return e, nil, err
	}
	for _, part := range []func() ([]string, error){
		e.readLink, e.readFresh, e.readQdisc, e.readMaster, e.readAbove, e.readGroups,
	} {
		more, err := part()
		if err != nil {
			return e, nil, fmt.Errorf("read what %s has: %w", name, err)
		}
		lost = append(lost, more...)
	}
	e.sysctls = readSysctls(name)
	return e, lost, nil
}

// readLink keeps the kernel's own description.
func (e *Estate) readLink() (lost []string, err error) {
	head := nl.NewIfInfomsg(unix.AF_UNSPEC)
	head.Index = int32(e.Index)
	req := nl.NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_ACK)
	req.AddData(head)
	messages, err := req.Execute(unix.NETLINK_ROUTE, 0)
	if err != nil || len(messages) != 1 {
		return nil, errors.Join(err, shortAnswer(len(messages)))
	}
	e.message = messages[0]
	if e.link.Xdp != nil && e.link.Xdp.Attached {
		lost = append(lost, "an XDP program on "+e.Name)
	}
	// A bridge hears all by its ports; whoever else does is not to be seen from here.
	known := 0
	if e.link.RawFlags&unix.IFF_PROMISC != 0 {
		known++
	}
	if e.masterKind() == "bridge" {
		known++
	}
	if e.link.Promiscuity > known {
		lost = append(lost, "what hears all frames of "+e.Name+" (a capture, or an interface above it in another namespace)")
	}
	if _, ok := attribute(e.message[unix.SizeofIfInfomsg:], unix.IFLA_PROP_LIST); ok {
		lost = append(lost, "the other names of "+e.Name+" (altname)")
	}
	return lost, nil
}

func shortAnswer(n int) error {
	if n == 1 {
		return nil
	}
	return fmt.Errorf("%d answers instead of one", n)
}

// readFresh keeps neighbours that were learned, whose addresses need not be asked for again.
func (e *Estate) readFresh() ([]string, error) {
	messages, err := dump(unix.RTM_GETNEIGH, &neighbourMessage{}, unix.RTM_NEWNEIGH)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		if len(m) < sizeofNdMsg || int(nl.NativeEndian().Uint32(m[4:])) != e.Index {
			continue
		}
		state := nl.NativeEndian().Uint16(m[8:])
		if _, resolved := attribute(m[sizeofNdMsg:], netlink.NDA_LLADDR); resolved && state&(netlink.NUD_REACHABLE|netlink.NUD_STALE|netlink.NUD_DELAY|netlink.NUD_PROBE) != 0 {
			e.fresh = append(e.fresh, m)
		}
	}
	return nil, nil
}

// readAbove keeps the VLANs, and names what else stands on the interface.
func (e *Estate) readAbove() (lost []string, err error) {
	links, err := iface.All(iface.Here)
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		switch {
		case l.ParentIndex != e.Index || l.NetNsID != iface.Here || l.Kind == "veth" || l.Index == e.Index:
		case l.Kind == "vlan":
			v, more, err := ReadEstate(l.Name)
			if err != nil {
				return nil, err
			}
			e.above, lost = append(e.above, v), append(lost, more...)
		default:
			lost = append(lost, fmt.Sprintf("%s, a %s on %s", l.Name, l.Kind, e.Name))
		}
	}
	slices.SortFunc(e.above, func(a, b Estate) int { return a.Index - b.Index })
	return lost, nil
}

// Make makes an interface of a kind in the place of the one that was, with its name,
// number and address. Data is what the kind needs.
func (e *Estate) Make(kind string, data []byte) error {
	if err := e.create(kind, data, e.link.HardwareAddr); err != nil {
		return fmt.Errorf("make %s anew, with number %d: %w", e.Name, e.Index, err)
	}
	return nil
}

func (e *Estate) create(kind string, data, mac []byte, more ...*nl.RtAttr) error {
	req := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_EXCL)
	head := nl.NewIfInfomsg(unix.AF_UNSPEC)
	head.Index = int32(e.Index)
	const kept = unix.IFF_UP | unix.IFF_PROMISC | unix.IFF_ALLMULTI | unix.IFF_NOARP
	head.Flags, head.Change = e.link.RawFlags&kept, kept
	req.AddData(head)
	req.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(e.Name)))
	req.AddData(nl.NewRtAttr(unix.IFLA_MTU, nl.Uint32Attr(uint32(e.link.MTU))))
	req.AddData(nl.NewRtAttr(unix.IFLA_TXQLEN, nl.Uint32Attr(uint32(max(0, e.link.TxQLen)))))
	req.AddData(nl.NewRtAttr(unix.IFLA_GROUP, nl.Uint32Attr(e.link.Group)))
	if len(mac) > 0 {
		req.AddData(nl.NewRtAttr(unix.IFLA_ADDRESS, mac))
	}
	for _, a := range more {
		req.AddData(a)
	}
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated(kind))
	if data != nil {
		info.AddRtAttr(nl.IFLA_INFO_DATA, data)
	}
	req.AddData(info)
	_, err := req.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

// Take gives the interface that has the name and number now what the one before had. What
// it has already is no error, so that it may be repeated.
func (e *Estate) Take() error {
	var errs []error
	for _, give := range []func() error{
		e.giveAlias, e.giveSysctls, e.giveMaster, e.giveQdisc, e.giveHolding, e.giveFresh, e.giveAbove,
	} {
		errs = append(errs, give())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("give %s what it had: %w", e.Name, err)
	}
	return nil
}

func (e *Estate) giveAlias() error {
	if e.link.Alias == "" {
		return nil
	}
	return iface.Change(e.Index).Alias(e.link.Alias).Do()
}

// giveHolding gives addresses and routes; one that was down stays down.
func (e *Estate) giveHolding() error {
	err := e.give(e.Name, true)
	if e.link.AdminUp() {
		return err
	}
	return errors.Join(err, iface.Change(e.Index).Flag(unix.IFF_UP, false).Do())
}

// giveFresh gives neighbours that were learned, to be confirmed when they are used.
func (e *Estate) giveFresh() error {
	var errs []error
	for _, m := range e.fresh {
		m = slices.Clone(m)
		nl.NativeEndian().PutUint16(m[8:], netlink.NUD_STALE)
		m = without(m, sizeofNdMsg, ndaCacheInfo, ndaProbes)
		errs = append(errs, ignore(request(unix.RTM_NEWNEIGH, unix.NLM_F_CREATE|unix.NLM_F_EXCL, m), unix.EEXIST))
	}
	return errors.Join(errs...)
}

// giveAbove makes the VLANs anew that went with the interface.
func (e *Estate) giveAbove() error {
	var errs []error
	for i := range e.above {
		v := &e.above[i]
		_, err := iface.ByIndex(v.Index, iface.Here)
		if iface.IsAbsent(err) {
			err = v.remake(e)
		}
		errs = append(errs, errors.Join(err, v.Take()))
	}
	return errors.Join(errs...)
}

// remake makes a VLAN as it was. One with the address of what it stands on follows that.
func (e *Estate) remake(below *Estate) error {
	info, _ := attribute(e.message[unix.SizeofIfInfomsg:], unix.IFLA_LINKINFO)
	data, _ := attribute(info, nl.IFLA_INFO_DATA)
	data = slices.Clone(data)
	// The kernel tells all bits as changeable, and takes only those that there are.
	if flags, ok := attribute(data, nl.IFLA_VLAN_FLAGS); ok && len(flags) == 8 {
		const known = 0x1f
		nl.NativeEndian().PutUint32(flags[4:], known)
	}
	mac := []byte(e.link.HardwareAddr)
	if slices.Equal(mac, below.link.HardwareAddr) {
		mac = nil
	}
	return e.create(e.link.Kind, data, mac, nl.NewRtAttr(unix.IFLA_LINK, nl.Uint32Attr(uint32(below.Index))))
}
