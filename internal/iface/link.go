package iface

import (
	"bytes"
	"errors"
	"fmt"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/wire"
)

// Here is the nsid of the calling thread's own namespace.
const Here = -1

// GenModeNone is the IPv6 address generation mode that makes no link-local address
// (IN6_ADDR_GEN_MODE_NONE of linux/if_link.h).
const GenModeNone = 1

// Link is one interface as the kernel has it now.
type Link struct {
	netlink.LinkAttrs
	// Kind is the driver's kind, "veth" or "bridge", and empty for hardware.
	Kind string
	// Ethernet: the interface carries Ethernet frames.
	Ethernet bool
	// Carrier is the driver's carrier flag. It is false while the interface is down.
	Carrier bool
	// Promiscuity counts those who want to hear all frames: sockets, a bridge, a user.
	Promiscuity int
	// MinMTU and MaxMTU bound the MTU, in bytes; 0 where the kernel does not tell.
	MinMTU, MaxMTU int
	// GenMode is the IPv6 address generation mode, or -1 where the interface has no IPv6.
	GenMode int
	// VLAN is the tag that a VLAN device puts on frames, zero for others.
	VLAN wire.VLAN
}

// AdminUp reports whether the interface is administratively up.
func (l Link) AdminUp() bool { return l.RawFlags&unix.IFF_UP != 0 }

// IsAbsent reports whether err says that there is no such interface.
func IsAbsent(err error) bool {
	return errors.Is(err, unix.ENODEV) || errors.As(err, &netlink.LinkNotFoundError{})
}

// ByIndex reads one interface by its ifindex. For an absent one the error is true for
// IsAbsent.
func ByIndex(index, nsid int) (Link, error) {
	req := linkRequest(unix.RTM_GETLINK, 0, index, nsid)
	l, err := one(req)
	if err != nil {
		return Link{}, fmt.Errorf("read interface %d: %w", index, err)
	}
	return l, nil
}

// ByName reads one interface by its name, with errors as ByIndex.
func ByName(name string, nsid int) (Link, error) {
	if len(name) >= unix.IFNAMSIZ {
		return Link{}, fmt.Errorf("read interface %s: %w", name, unix.ENODEV)
	}
	req := linkRequest(unix.RTM_GETLINK, 0, 0, nsid)
	req.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)))
	l, err := one(req)
	if err != nil {
		return Link{}, fmt.Errorf("read interface %s: %w", name, err)
	}
	return l, nil
}

// All reads every interface of the namespace.
func All(nsid int) ([]Link, error) {
	messages, err := links(nsid)
	if err != nil {
		return nil, err
	}
	return parseAll(messages)
}

// OfKinds reads the interfaces of some kinds in the calling thread's namespace, without a
// look at all others. It needs a kernel that filters by kind, Linux 4.4.
func OfKinds(kinds ...string) ([]Link, error) {
	var out []Link
	for _, kind := range kinds {
		messages, err := ofKind(kind)
		if err != nil {
			return nil, fmt.Errorf("list interfaces: %w", err)
		}
		more, err := parseAll(messages)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// ofKind asks for the interfaces of one kind. Where the kernel does not know the kind, it
// has none of it and lists all others: the first of those ends the reading, since there may
// be thousands.
func ofKind(kind string) ([][]byte, error) {
	return Whole(func() (out [][]byte, err error) {
		err = ask(dumpRequest(Here, kind), func(m syscall.NetlinkMessage) bool {
			if quickKind(m.Data) != kind {
				return false
			}
			out = append(out, m.Data)
			return true
		})
		return out, err
	})
}

// quickKind finds the kind of a link without reading the rest: of thousands of links
// hardly one is of a kind that is looked for.
func quickKind(message []byte) string {
	if len(message) < unix.SizeofIfInfomsg {
		return ""
	}
	return string(quickFind(quickFind(message[unix.SizeofIfInfomsg:], unix.IFLA_LINKINFO), nl.IFLA_INFO_KIND))
}

// quickFind returns the value of the first attribute of a kind, without a NUL at its end.
func quickFind(attrs []byte, kind uint16) []byte {
	native := nl.NativeEndian()
	for len(attrs) >= unix.SizeofRtAttr {
		length := int(native.Uint16(attrs))
		if length < unix.SizeofRtAttr || length > len(attrs) {
			return nil
		}
		if native.Uint16(attrs[2:])&^unix.NLA_F_NESTED == kind {
			return bytes.TrimSuffix(attrs[unix.SizeofRtAttr:length], []byte{0})
		}
		attrs = attrs[min((length+3)&^3, len(attrs)):]
	}
	return nil
}

// links asks for all interfaces.
func links(nsid int) ([][]byte, error) {
	messages, err := dump(func() *nl.NetlinkRequest { return dumpRequest(nsid, "") }, unix.RTM_NEWLINK)
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	return messages, nil
}

// dumpRequest asks for the interfaces of one kind, or for all where it is empty.
func dumpRequest(nsid int, kind string) *nl.NetlinkRequest {
	req := linkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP, 0, nsid)
	if kind == "" {
		req.AddData(nl.NewRtAttr(unix.IFLA_EXT_MASK, nl.Uint32Attr(skipStats)))
	} else {
		// With a mask the kernel would first look how long the answer about each of all
		// interfaces would be; counters of the few that it lists cost less.
		info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
		info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated(kind))
		req.AddData(info)
	}
	return req
}

func parseAll(messages [][]byte) ([]Link, error) {
	out := make([]Link, 0, len(messages))
	for _, m := range messages {
		l, err := parse(m)
		if err != nil {
			return nil, fmt.Errorf("list interfaces: %w", err)
		}
		out = append(out, l)
	}
	return out, nil
}

// linkRequest begins a request about an interface.
func linkRequest(kind, flags, index, nsid int) *nl.NetlinkRequest {
	req := nl.NewNetlinkRequest(kind, flags)
	msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
	msg.Index = int32(index)
	req.AddData(msg)
	if nsid != Here {
		req.AddData(nl.NewRtAttr(unix.IFLA_TARGET_NETNSID, nl.Uint32Attr(uint32(nsid))))
	}
	return req
}

func one(req *nl.NetlinkRequest) (Link, error) {
	messages, err := execute(req, 0)
	if err != nil {
		return Link{}, err
	}
	if len(messages) != 1 {
		return Link{}, fmt.Errorf("the kernel sent %d answers instead of one", len(messages))
	}
	return parse(messages[0])
}

// skipStats is RTEXT_FILTER_SKIP_STATS of linux/rtnetlink.h.
const skipStats = 1 << 3

// dumpTries is how often a list is asked for that changed while the kernel made it.
const dumpTries = 10

// dump asks for a list until it is of one moment.
func dump(request func() *nl.NetlinkRequest, answer uint16) ([][]byte, error) {
	return Whole(func() ([][]byte, error) { return execute(request(), answer) })
}

// Whole asks for a list until it is of one moment, and returns other errors at once. The
// last one is taken as it is: on a busy host there may never be such a moment, and who asks
// looks for single interfaces.
func Whole(ask func() ([][]byte, error)) (messages [][]byte, err error) {
	for range dumpTries {
		if messages, err = ask(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return messages, err
		}
	}
	return messages, nil
}

func parse(message []byte) (Link, error) {
	l, err := netlink.LinkDeserialize(nil, message)
	if err != nil {
		return Link{}, err
	}
	a := l.Attrs()
	out := Link{
		LinkAttrs: *a, Ethernet: a.EncapType == "ether", GenMode: -1,
		Carrier: a.RawFlags&unix.IFF_LOWER_UP != 0,
	}
	if v, ok := l.(*netlink.Vlan); ok {
		out.VLAN = wire.VLAN{Type: wire.EtherType(v.VlanProtocol), TCI: uint16(v.VlanId)}
	}
	attrs, err := nl.ParseRouteAttr(message[unix.SizeofIfInfomsg:])
	if err != nil {
		return Link{}, err
	}
	for _, attr := range attrs {
		switch attr.Attr.Type {
		case unix.IFLA_PROMISCUITY:
			if len(attr.Value) == 4 {
				out.Promiscuity = int(nl.NativeEndian().Uint32(attr.Value))
			}
		case unix.IFLA_MIN_MTU:
			if len(attr.Value) >= 4 {
				out.MinMTU = int(nl.NativeEndian().Uint32(attr.Value))
			}
		case unix.IFLA_MAX_MTU:
			if len(attr.Value) >= 4 {
				out.MaxMTU = int(nl.NativeEndian().Uint32(attr.Value))
			}
		case unix.IFLA_LINKINFO:
			out.Kind = kindOf(attr.Value)
		case unix.IFLA_AF_SPEC:
			out.GenMode = genModeOf(attr.Value)
		}
	}
	return out, nil
}

// kindOf finds IFLA_INFO_KIND in an IFLA_LINKINFO.
func kindOf(info []byte) string {
	if v, ok := find(info, nl.IFLA_INFO_KIND); ok {
		return nl.BytesToString(v)
	}
	return ""
}

// genModeOf finds the address generation mode in an IFLA_AF_SPEC.
func genModeOf(spec []byte) int {
	inet6, ok := find(spec, unix.AF_INET6)
	if !ok {
		return -1
	}
	mode, ok := find(inet6, unix.IFLA_INET6_ADDR_GEN_MODE)
	if !ok || len(mode) != 1 {
		return -1
	}
	return int(mode[0])
}

// find returns the value of the first attribute of a kind.
func find(attrs []byte, kind uint16) ([]byte, bool) {
	list, err := nl.ParseRouteAttr(attrs)
	if err != nil {
		return nil, false
	}
	for _, a := range list {
		if a.Attr.Type&^unix.NLA_F_NESTED == kind {
			return a.Value, true
		}
	}
	return nil, false
}
