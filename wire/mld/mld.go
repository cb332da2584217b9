package mld

import (
	"encoding/binary"
	"net/netip"

	"github.com/yokelag/yoke/wire"
)

// Report is the ICMPv6 type of a report of version 2.
const Report = 143

// The record types that say what is, not what changes.
const (
	isInclude = 1
	isExclude = 2
)

// Lengths in bytes.
const (
	headLen   = wire.IPv6Len + len(alert) + messageLen
	recordLen = 20
	sourceLen = 16
	// messageLen is that of a message without records.
	messageLen = 8
)

// alert is the hop-by-hop header with the router alert of MLD (RFC 2711), padded; the
// first byte is the next header, ICMPv6.
const alert = "\x3a\x00\x05\x02\x00\x00\x01\x00"

// hopByHop is the number of the hop-by-hop header.
const hopByHop wire.Protocol = 0

// Record tells membership in one group. Sources are the only senders that are wanted;
// none means any.
type Record struct {
	Group   netip.Addr
	Sources []netip.Addr
}

// length is the size of a record in bytes.
func (r Record) length() int { return recordLen + sourceLen*len(r.Sources) }

// Fit returns how many of the records, from the first on, one packet of mtu bytes holds:
// at least one where there is any.
func Fit(records []Record, mtu int) int {
	size := headLen
	for i, r := range records {
		if size += r.length(); size > mtu && i > 0 {
			return i
		}
	}
	return len(records)
}

// AppendReport appends the frame that tells membership in the groups of the records. src
// is the link-local address of the sender, or :: where it has none.
func AppendReport(b []byte, mac [6]byte, src netip.Addr, records []Record, tags wire.Tags) []byte {
	message := binary.BigEndian.AppendUint16([]byte{Report, 0, 0, 0, 0, 0}, uint16(len(records)))
	for _, r := range records {
		message = r.appendTo(message)
	}
	routers := netip.AddrFrom16([16]byte{0: 0xff, 1: 0x02, 15: 0x16})
	binary.BigEndian.PutUint16(message[2:], wire.Checksum(message, wire.PseudoHeader(src, routers, wire.ProtoICMPv6, len(message))))
	b = wire.Ethernet{Dst: MAC(routers), Src: mac, Tags: tags, Type: wire.TypeIPv6}.AppendTo(b)
	b = wire.IPv6{PayloadLen: uint16(len(alert) + len(message)), NextHeader: hopByHop, HopLimit: 1, Src: src, Dst: routers}.AppendTo(b)
	b = append(b, alert...)
	return append(b, message...)
}

func (r Record) appendTo(b []byte) []byte {
	kind := byte(isExclude)
	if len(r.Sources) > 0 {
		kind = isInclude
	}
	b = append(b, kind, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.Sources)))
	for _, a := range append([]netip.Addr{r.Group}, r.Sources...) {
		bytes := a.As16()
		b = append(b, bytes[:]...)
	}
	return b
}

// MAC maps a group to its Ethernet address (RFC 2464 section 7).
func MAC(group netip.Addr) [6]byte {
	a := group.As16()
	return [6]byte{0x33, 0x33, a[12], a[13], a[14], a[15]}
}
