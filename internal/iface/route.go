package iface

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Routes lists the destinations of the IPv4 and IPv6 routes, of all tables, that lead
// through one interface of the calling thread's namespace.
func Routes(index int) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		messages, err := dump(func() *nl.NetlinkRequest {
			req := nl.NewNetlinkRequest(unix.RTM_GETROUTE, unix.NLM_F_DUMP)
			req.AddData(&nl.RtMsg{RtMsg: unix.RtMsg{Family: uint8(family)}})
			req.AddData(nl.NewRtAttr(unix.RTA_OIF, nl.Uint32Attr(uint32(index))))
			return req
		}, unix.RTM_NEWROUTE)
		if err != nil {
			return nil, fmt.Errorf("routes of interface %d: %w", index, err)
		}
		for _, m := range messages {
			if p, ok := parseRoute(m, family, index); ok {
				out = append(out, p)
			}
		}
	}
	return out, nil
}

// parseRoute reads one RTM_NEWROUTE. Kernels before 4.20 answer with the routes of all
// interfaces.
func parseRoute(m []byte, family, index int) (netip.Prefix, bool) {
	head := nl.DeserializeRtMsg(m)
	attrs := m[head.Len():]
	if oif, ok := find(attrs, unix.RTA_OIF); ok && len(oif) == 4 && int(nl.NativeEndian().Uint32(oif)) != index {
		return netip.Prefix{}, false
	}
	if head.Flags&unix.RTM_F_CLONED != 0 {
		return netip.Prefix{}, false
	}
	ip := netip.IPv4Unspecified()
	if family == unix.AF_INET6 {
		ip = netip.IPv6Unspecified()
	}
	if to, ok := find(attrs, unix.RTA_DST); ok {
		if ip, ok = netip.AddrFromSlice(to); !ok {
			return netip.Prefix{}, false
		}
	}
	return netip.PrefixFrom(ip, int(head.Dst_len)), true
}
