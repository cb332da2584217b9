package iface

import (
	"fmt"
	"net"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Set changes one interface; make it with Change.
type Set struct {
	index       int
	flags, mask uint32
	attrs       []*nl.RtAttr
}

// Change begins a change of the interface. The kernel does all of it in one request,
// in its own order, and a refusal may leave a part done: give one setting where that
// matters. It cannot reach into another namespace by nsid: with an nsid, RTM_SETLINK
// moves an interface there.
func Change(index int) *Set { return &Set{index: index} }

// MAC sets the Ethernet address.
func (s *Set) MAC(mac net.HardwareAddr) *Set { return s.attr(unix.IFLA_ADDRESS, mac) }

// MTU sets the MTU in bytes.
func (s *Set) MTU(bytes int) *Set { return s.attr(unix.IFLA_MTU, nl.Uint32Attr(uint32(bytes))) }

// Name sets the name.
func (s *Set) Name(name string) *Set { return s.attr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)) }

// Alias sets the text that `ip link` shows with the interface.
func (s *Set) Alias(text string) *Set { return s.attr(unix.IFLA_IFALIAS, []byte(text)) }

// GenMode sets the IPv6 address generation mode.
func (s *Set) GenMode(mode int) *Set {
	inet6 := nl.NewRtAttr(unix.AF_INET6, nl.NewRtAttr(unix.IFLA_INET6_ADDR_GEN_MODE, []byte{byte(mode)}).Serialize())
	return s.attr(unix.IFLA_AF_SPEC, inet6.Serialize())
}

// Flag sets or clears flags such as IFF_UP, IFF_NOARP or IFF_ALLMULTI. A flag set so
// stays when the process ends.
func (s *Set) Flag(flags uint32, on bool) *Set {
	s.mask |= flags
	s.flags &^= flags
	if on {
		s.flags |= flags
	}
	return s
}

func (s *Set) attr(kind int, value []byte) *Set {
	s.attrs = append(s.attrs, nl.NewRtAttr(kind, value))
	return s
}

// Do makes the change. For an absent interface the error is true for IsAbsent.
func (s *Set) Do() error {
	req := nl.NewNetlinkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK)
	msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
	msg.Index, msg.Flags, msg.Change = int32(s.index), s.flags, s.mask
	req.AddData(msg)
	for _, a := range s.attrs {
		req.AddData(a)
	}
	if _, err := execute(req, 0); err != nil {
		return fmt.Errorf("change interface %d: %w", s.index, err)
	}
	return nil
}

// Delete removes the interface.
func Delete(index int) error {
	if _, err := execute(linkRequest(unix.RTM_DELLINK, unix.NLM_F_ACK, index, Here), 0); err != nil {
		return fmt.Errorf("delete interface %d: %w", index, err)
	}
	return nil
}
