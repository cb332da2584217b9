package wire

import (
	"encoding/binary"
	"net/netip"
)

// IPv4Len is the length of an IPv4 header without options, in bytes.
const IPv4Len = 20

// MoreFragments and DontFragment are bits of IPv4.Fragment.
const (
	DontFragment  = 0x4000
	MoreFragments = 0x2000
	offsetMask    = 0x1fff
)

// IPv4 is a header of RFC 791.
type IPv4 struct {
	TOS      uint8
	TotalLen uint16 // header and payload, in bytes
	ID       uint16
	// Fragment holds the reserved bit, DontFragment, MoreFragments and the offset in
	// units of 8 bytes.
	Fragment uint16
	TTL      uint8
	Protocol Protocol
	Checksum uint16 // as on the wire; AppendTo computes it
	Src, Dst netip.Addr
	// Options are the bytes behind the fixed header, a multiple of 4, at most 40. After
	// ParseIPv4 they point into the frame.
	Options []byte
}

// ParseIPv4 reads a header. The payload ends where TotalLen says, so that padding of
// the frame is left out. The checksum is not verified; Checksum(header) is 0 if right.
func ParseIPv4(b []byte) (h IPv4, payload []byte, err error) {
	if len(b) < IPv4Len {
		return h, nil, ShortIPv4
	}
	size := int(b[0]&0xf) * 4
	if b[0]>>4 != 4 || size < IPv4Len {
		return h, nil, BadIPv4
	}
	h.TotalLen = binary.BigEndian.Uint16(b[2:])
	if len(b) < size || len(b) < int(h.TotalLen) {
		return h, nil, ShortIPv4
	}
	if int(h.TotalLen) < size {
		return h, nil, BadIPv4
	}
	h.TOS = b[1]
	h.ID = binary.BigEndian.Uint16(b[4:])
	h.Fragment = binary.BigEndian.Uint16(b[6:])
	h.TTL, h.Protocol = b[8], Protocol(b[9])
	h.Checksum = binary.BigEndian.Uint16(b[10:])
	h.Src, h.Dst = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
	if size > IPv4Len {
		h.Options = b[IPv4Len:size]
	}
	return h, b[size:h.TotalLen], nil
}

// AppendTo appends the header with a right checksum; TotalLen is taken as it is. Src
// and Dst must be IPv4.
func (h IPv4) AppendTo(b []byte) []byte {
	start := len(b)
	b = append(b, 4<<4|uint8(IPv4Len+len(h.Options))/4, h.TOS)
	b = binary.BigEndian.AppendUint16(b, h.TotalLen)
	b = binary.BigEndian.AppendUint16(b, h.ID)
	b = binary.BigEndian.AppendUint16(b, h.Fragment)
	b = append(b, h.TTL, uint8(h.Protocol), 0, 0)
	src, dst := h.Src.As4(), h.Dst.As4()
	b = append(b, src[:]...)
	b = append(b, dst[:]...)
	b = append(b, h.Options...)
	binary.BigEndian.PutUint16(b[start+10:], Checksum(b[start:], 0))
	return b
}
