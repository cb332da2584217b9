package igmp

import (
	"encoding/binary"
	"net/netip"

	"github.com/yokelag/yoke/wire"
)

// The types of a report, one a version.
const (
	ReportV1 = 0x12
	ReportV2 = 0x16
	ReportV3 = 0x22
)

// The record types of version 3 that say what is, not what changes.
const (
	isInclude = 1
	isExclude = 2
)

// internetControl is the precedence that Linux gives to reports.
const internetControl = 0xc0

// routerAlert is the option of RFC 2113.
var routerAlert = []byte{0x94, 4, 0, 0} //nolint:gochecknoglobals // a constant

// allRouters is where reports of version 3 go.
func allRouters() netip.Addr { return netip.AddrFrom4([4]byte{224, 0, 0, 22}) }

// AppendReport appends the frame that tells membership in one group. version is 1, 2 or
// 3, and any other counts as 3. src is IPv4 and may be 0.0.0.0; sources are the only
// senders that are wanted, none meaning any, and are told by version 3 alone.
func AppendReport(b []byte, mac [6]byte, src netip.Addr, version int, group netip.Addr, sources []netip.Addr, tags wire.Tags) []byte {
	dst, message := allRouters(), []byte(nil)
	switch version {
	case 1:
		dst, message = group, old(ReportV1, group)
	case 2:
		dst, message = group, old(ReportV2, group)
	default:
		message = v3(group, sources)
	}
	binary.BigEndian.PutUint16(message[2:], wire.Checksum(message, 0))
	b = wire.Ethernet{Dst: MAC(dst), Src: mac, Tags: tags, Type: wire.TypeIPv4}.AppendTo(b)
	b = wire.IPv4{
		TOS: internetControl, TotalLen: uint16(wire.IPv4Len + len(routerAlert) + len(message)), Fragment: wire.DontFragment,
		TTL: 1, Protocol: wire.ProtoIGMP, Src: src, Dst: dst, Options: routerAlert,
	}.AppendTo(b)
	return append(b, message...)
}

// old is a report of version 1 or 2, without its checksum.
func old(kind byte, group netip.Addr) []byte {
	g := group.As4()
	return append([]byte{kind, 0, 0, 0}, g[:]...)
}

// v3 is a report of one record, without its checksum.
func v3(group netip.Addr, sources []netip.Addr) []byte {
	kind := byte(isExclude)
	if len(sources) > 0 {
		kind = isInclude
	}
	g := group.As4()
	b := []byte{ReportV3, 0, 0, 0, 0, 0, 0, 1, kind, 0}
	b = binary.BigEndian.AppendUint16(b, uint16(len(sources)))
	b = append(b, g[:]...)
	for _, s := range sources {
		a := s.As4()
		b = append(b, a[:]...)
	}
	return b
}

// MAC maps a group to its Ethernet address (RFC 1112 section 6.4).
func MAC(group netip.Addr) [6]byte {
	a := group.As4()
	return [6]byte{0x01, 0x00, 0x5e, a[1] & 0x7f, a[2], a[3]}
}
