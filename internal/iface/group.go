package iface

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// attrMulticast is IFA_MULTICAST of linux/if_addr.h.
const attrMulticast = 7

// Groups6 lists the IPv6 multicast groups of one interface of the calling thread's
// namespace, none where the kernel has no IPv6. The kernel's list of all interfaces
// (/proc/net/igmp6) takes it the longer the more there are, with the square of their number.
func Groups6(index int) ([]netip.Addr, error) {
	messages, err := dump(func() *nl.NetlinkRequest {
		req := nl.NewNetlinkRequest(unix.RTM_GETMULTICAST, unix.NLM_F_DUMP)
		head := nl.NewIfAddrmsg(unix.AF_INET6)
		head.Index = uint32(index) // kernels before 4.20 answer with those of all
		req.AddData(head)
		return req
	}, unix.RTM_GETMULTICAST)
	if err != nil {
		return nil, fmt.Errorf("multicast groups of interface %d: %w", index, err)
	}
	var out []netip.Addr
	for _, m := range messages {
		head := nl.DeserializeIfAddrmsg(m)
		// Without IPv6 the kernel lets whichever family it has answer.
		if int(head.Index) != index || head.Family != unix.AF_INET6 {
			continue
		}
		if value, ok := find(m[head.Len():], attrMulticast); ok {
			if group, ok := netip.AddrFromSlice(value); ok {
				out = append(out, group)
			}
		}
	}
	return out, nil
}
