package nd

import (
	"encoding/binary"
	"net/netip"

	"github.com/yokelag/yoke/wire"
)

// Types of ICMPv6 and of options.
const (
	Solicitation  = 135
	Advertisement = 136

	OptionSourceMAC = 1
	OptionTargetMAC = 2
)

// Lengths in bytes.
const (
	// MessageLen is that of a message without options.
	MessageLen = 24
	// OptionLen is that of the option of an Ethernet address.
	OptionLen = 8
)

// Flags of an advertisement.
const (
	FlagRouter    = 0x80
	FlagSolicited = 0x40
	FlagOverride  = 0x20
)

// hopLimit proves that the sender is on the link.
const hopLimit = 255

// The reasons to drop a message.
const (
	Short     wire.Drop = "short-nd"
	Other     wire.Drop = "not-nd"
	BadOption wire.Drop = "bad-nd-option"
)

// Message is a solicitation or an advertisement.
type Message struct {
	Type uint8
	// Flags are 0 in solicitations.
	Flags  uint8
	Target netip.Addr
	// Options are all options as bytes. After Parse they point into the frame.
	Options []byte
}

// Parse reads the ICMPv6 message, the payload of IPv6. The checksum is not verified.
func Parse(b []byte) (m Message, err error) {
	if len(b) < MessageLen {
		return m, Short
	}
	if b[0] != Solicitation && b[0] != Advertisement || b[1] != 0 {
		return m, Other
	}
	m.Type = b[0]
	if m.Type == Advertisement {
		m.Flags = b[4] & (FlagRouter | FlagSolicited | FlagOverride)
	}
	m.Target = netip.AddrFrom16([16]byte(b[8:]))
	m.Options = b[MessageLen:]
	return m, checkOptions(m.Options)
}

func checkOptions(b []byte) error {
	for len(b) > 0 {
		if len(b) < 2 || b[1] == 0 || len(b) < int(b[1])*8 {
			return BadOption
		}
		b = b[int(b[1])*8:]
	}
	return nil
}

// MAC returns the Ethernet address of the first option of the kind, OptionSourceMAC or
// OptionTargetMAC.
func (m Message) MAC(kind uint8) (mac [6]byte, ok bool) {
	for b := m.Options; len(b) >= OptionLen && b[1] > 0 && len(b) >= int(b[1])*8; b = b[int(b[1])*8:] {
		if b[0] == kind && b[1] == 1 {
			return [6]byte(b[2:]), true
		}
	}
	return mac, false
}

// AppendTo appends the message with the checksum for src and dst.
func (m Message) AppendTo(b []byte, src, dst netip.Addr) []byte {
	start := len(b)
	target := m.Target.As16()
	b = append(b, m.Type, 0, 0, 0, m.Flags, 0, 0, 0)
	b = append(b, target[:]...)
	b = append(b, m.Options...)
	sum := wire.Checksum(b[start:], wire.PseudoHeader(src, dst, wire.ProtoICMPv6, len(b)-start))
	binary.BigEndian.PutUint16(b[start+2:], sum)
	return b
}

// AppendUnsolicited appends the frame that announces that ip is at mac, to all nodes
// and overriding what they know, as Linux sends it. router tells that the host
// forwards. ip must be IPv6.
func AppendUnsolicited(b []byte, mac [6]byte, ip netip.Addr, router bool, tags wire.Tags) []byte {
	m := Message{Type: Advertisement, Flags: FlagOverride, Target: ip.WithZone(""), Options: targetOption(mac)}
	if router {
		m.Flags |= FlagRouter
	}
	nodes := netip.IPv6LinkLocalAllNodes()
	b = wire.Ethernet{Dst: multicastMAC(nodes), Src: mac, Tags: tags, Type: wire.TypeIPv6}.AppendTo(b)
	b = wire.IPv6{PayloadLen: MessageLen + OptionLen, NextHeader: wire.ProtoICMPv6, HopLimit: hopLimit, Src: m.Target, Dst: nodes}.AppendTo(b)
	return m.AppendTo(b, m.Target, nodes)
}

func targetOption(mac [6]byte) []byte {
	return append([]byte{OptionTargetMAC, 1}, mac[:]...)
}

// multicastMAC maps an IPv6 group to its Ethernet address (RFC 2464 section 7).
func multicastMAC(group netip.Addr) [6]byte {
	a := group.As16()
	return [6]byte{0x33, 0x33, a[12], a[13], a[14], a[15]}
}
