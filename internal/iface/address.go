package iface

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Address is one IP address of an interface.
type Address struct {
	Prefix netip.Prefix
	// Flags are IFA_F_* of linux/if_addr.h.
	Flags uint32
}

// Usable reports whether duplicate address detection lets the address be used.
func (a Address) Usable() bool { return a.Flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) == 0 }

// Addresses lists the IPv4 and IPv6 addresses of one interface.
func Addresses(index, nsid int) ([]Address, error) {
	messages, err := dump(func() *nl.NetlinkRequest {
		req := nl.NewNetlinkRequest(unix.RTM_GETADDR, unix.NLM_F_DUMP)
		head := nl.NewIfAddrmsg(unix.AF_UNSPEC)
		head.Index = uint32(index) // kernels before 4.20 answer with those of all
		req.AddData(head)
		if nsid != Here {
			req.AddData(nl.NewRtAttr(unix.IFA_TARGET_NETNSID, nl.Uint32Attr(uint32(nsid))))
		}
		return req
	}, unix.RTM_NEWADDR)
	if err != nil {
		return nil, fmt.Errorf("addresses of interface %d: %w", index, err)
	}
	var out []Address
	for _, m := range messages {
		head := nl.DeserializeIfAddrmsg(m)
		if int(head.Index) != index {
			continue
		}
		if a, ok := parseAddress(head, m[head.Len():]); ok {
			out = append(out, a)
		}
	}
	return out, nil
}

// parseAddress reads one RTM_NEWADDR. On point-to-point links IFA_LOCAL is the
// interface's own address and IFA_ADDRESS the peer's; elsewhere IFA_LOCAL may lack.
func parseAddress(head *nl.IfAddrmsg, attrs []byte) (Address, bool) {
	a := Address{Flags: uint32(head.Flags)}
	value, ok := find(attrs, unix.IFA_LOCAL)
	if !ok {
		value, ok = find(attrs, unix.IFA_ADDRESS)
	}
	ip, valid := netip.AddrFromSlice(value)
	if !ok || !valid {
		return Address{}, false
	}
	a.Prefix = netip.PrefixFrom(ip, int(head.Prefixlen))
	if v, ok := find(attrs, unix.IFA_FLAGS); ok && len(v) == 4 {
		a.Flags = nl.NativeEndian().Uint32(v)
	}
	return a, true
}
