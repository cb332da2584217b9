package wire

import (
	"encoding/binary"
	"net/netip"
)

// IPv6Len is the length of the fixed IPv6 header in bytes.
const IPv6Len = 40

// IPv6 is the fixed header of RFC 8200. Extension headers are part of the payload.
type IPv6 struct {
	TrafficClass uint8
	FlowLabel    uint32 // 20 bits
	PayloadLen   uint16 // in bytes, without the fixed header
	NextHeader   Protocol
	HopLimit     uint8
	Src, Dst     netip.Addr
}

// ParseIPv6 reads a header. The payload ends where PayloadLen says.
func ParseIPv6(b []byte) (h IPv6, payload []byte, err error) {
	if len(b) < IPv6Len {
		return h, nil, ShortIPv6
	}
	word := binary.BigEndian.Uint32(b)
	if word>>28 != 6 {
		return h, nil, BadIPv6
	}
	h.TrafficClass, h.FlowLabel = uint8(word>>20), word&0xfffff
	h.PayloadLen = binary.BigEndian.Uint16(b[4:])
	if len(b) < IPv6Len+int(h.PayloadLen) {
		return h, nil, ShortIPv6
	}
	h.NextHeader, h.HopLimit = Protocol(b[6]), b[7]
	h.Src, h.Dst = netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
	return h, b[IPv6Len : IPv6Len+int(h.PayloadLen)], nil
}

// AppendTo appends the header.
func (h IPv6) AppendTo(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, 6<<28|uint32(h.TrafficClass)<<20|h.FlowLabel&0xfffff)
	b = binary.BigEndian.AppendUint16(b, h.PayloadLen)
	b = append(b, uint8(h.NextHeader), h.HopLimit)
	src, dst := h.Src.As16(), h.Dst.As16()
	b = append(b, src[:]...)
	return append(b, dst[:]...)
}
