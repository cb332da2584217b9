package handover

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
)

// Holding is what one interface had. It can be kept as JSON; the bytes are payloads of
// rtnetlink messages of this boot.
type Holding struct {
	// Name and Index are those of the interface that had it.
	Name  string `json:"name"`
	Index int    `json:"ifindex"`
	// Addresses are without the IPv6 link-local ones, which are apart: an interface has
	// them of its own.
	Addresses  [][]byte `json:"addresses,omitempty"`
	LinkLocal  [][]byte `json:"link_local,omitempty"`
	Routes     [][]byte `json:"routes,omitempty"`
	Neighbours [][]byte `json:"neighbours,omitempty"`
}

// Empty reports whether nothing would be cut off if the interface lost what it has.
func (h Holding) Empty() bool { return len(h.Addresses) == 0 && len(h.Routes) == 0 }

// Read notes what the named interface has, and changes nothing. A route that cannot be
// moved is refused with an [agg.Problem].
func Read(name string) (Holding, error) {
	l, err := iface.ByName(name, iface.Here)
	if err != nil {
		return Holding{}, err
	}
	h := Holding{Name: l.Name, Index: l.Index}
	if err := h.readAddresses(); err != nil {
		return Holding{}, fmt.Errorf("read addresses of %s: %w", name, err)
	}
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		if err := h.readRoutes(family); err != nil {
			return Holding{}, fmt.Errorf("read routes of %s: %w", name, err)
		}
	}
	if err := h.readNeighbours(); err != nil {
		return Holding{}, fmt.Errorf("read neighbours of %s: %w", name, err)
	}
	return h, nil
}

func (h *Holding) readAddresses() error {
	messages, err := dump(unix.RTM_GETADDR, nl.NewIfAddrmsg(unix.AF_UNSPEC), unix.RTM_NEWADDR)
	if err != nil {
		return err
	}
	for _, m := range messages {
		if len(m) < unix.SizeofIfAddrmsg || int(nl.DeserializeIfAddrmsg(m).Index) != h.Index {
			continue
		}
		if p, ok := addressOf(m); ok && p.Addr().Is6() && p.Addr().IsLinkLocalUnicast() {
			h.LinkLocal = append(h.LinkLocal, m)
			continue
		}
		h.Addresses = append(h.Addresses, m)
	}
	return nil
}

func (h *Holding) readRoutes(family uint8) error {
	head := &nl.RtMsg{RtMsg: unix.RtMsg{Family: family}}
	messages, err := dump(unix.RTM_GETROUTE, head, unix.RTM_NEWROUTE)
	if err != nil {
		return err
	}
	for _, m := range messages {
		if len(m) < unix.SizeofRtMsg || !h.concerns(m) {
			continue
		}
		if _, found := attribute(m[unix.SizeofRtMsg:], rtaNhID); found {
			return &agg.Problem{Code: "nexthop-object", Object: h.Name, Rule: "the route to " + routeText(m) + " uses a nexthop object, which belongs to the interface",
				Remedy: "replace it by a plain route: `ip route replace ... via ... dev " + h.Name + "`"}
		}
		h.Routes = append(h.Routes, m)
	}
	return nil
}

// concerns reports whether a route leads through the interface and was not made by the
// kernel for its own ends.
func (h *Holding) concerns(m []byte) bool {
	head := nl.DeserializeRtMsg(m)
	if head.Flags&unix.RTM_F_CLONED != 0 || tableOf(m) == unix.RT_TABLE_LOCAL {
		return false
	}
	if to, ok := destination(m); ok && to.Addr().Is6() && (to.Addr().IsLinkLocalUnicast() || to.Addr().IsMulticast()) && head.Protocol == unix.RTPROT_KERNEL {
		return false
	}
	attrs := m[unix.SizeofRtMsg:]
	if oif, ok := attribute(attrs, unix.RTA_OIF); ok && len(oif) == 4 && int(nl.NativeEndian().Uint32(oif)) == h.Index {
		return true
	}
	hops, ok := attribute(attrs, unix.RTA_MULTIPATH)
	found := false
	if ok {
		eachHop(hops, func(hop []byte) {
			found = found || int(nl.NativeEndian().Uint32(hop[4:])) == h.Index
		})
	}
	return found
}

func (h *Holding) readNeighbours() error {
	messages, err := dump(unix.RTM_GETNEIGH, &neighbourMessage{}, unix.RTM_NEWNEIGH)
	if err != nil {
		return err
	}
	for _, m := range messages {
		if len(m) < sizeofNdMsg || int(nl.NativeEndian().Uint32(m[4:])) != h.Index {
			continue
		}
		if nl.NativeEndian().Uint16(m[8:])&nudPermanent != 0 {
			h.Neighbours = append(h.Neighbours, m)
		}
	}
	return nil
}

// addressOf is the interface's own address of an RTM_NEWADDR.
func addressOf(m []byte) (netip.Prefix, bool) {
	attrs := m[unix.SizeofIfAddrmsg:]
	value, ok := attribute(attrs, unix.IFA_LOCAL)
	if !ok {
		value, ok = attribute(attrs, unix.IFA_ADDRESS)
	}
	ip, valid := netip.AddrFromSlice(value)
	return netip.PrefixFrom(ip, int(nl.DeserializeIfAddrmsg(m).Prefixlen)), ok && valid
}

func destination(m []byte) (netip.Prefix, bool) {
	value, ok := attribute(m[unix.SizeofRtMsg:], unix.RTA_DST)
	ip, valid := netip.AddrFromSlice(value)
	return netip.PrefixFrom(ip, int(nl.DeserializeRtMsg(m).Dst_len)), ok && valid
}

func routeText(m []byte) string {
	if to, ok := destination(m); ok {
		return to.String()
	}
	return "default"
}

func tableOf(m []byte) uint32 {
	if v, ok := attribute(m[unix.SizeofRtMsg:], unix.RTA_TABLE); ok && len(v) == 4 {
		return nl.NativeEndian().Uint32(v)
	}
	return uint32(nl.DeserializeRtMsg(m).Table)
}
