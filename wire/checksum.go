package wire

import (
	"encoding/binary"
	"net/netip"
)

// Checksum is the internet checksum of RFC 1071 over b, begun with a partial sum such
// as PseudoHeader gives.
func Checksum(b []byte, partial uint32) uint16 {
	sum := uint64(partial)
	for ; len(b) >= 2; b = b[2:] {
		sum += uint64(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint64(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// PseudoHeader returns the partial sum that TCP, UDP and ICMPv6 add to their checksum
// (RFC 793, 768, 8200 section 8.1). Both addresses are of the same family.
func PseudoHeader(src, dst netip.Addr, p Protocol, length int) uint32 {
	sum := uint32(p) + uint32(length>>16) + uint32(length&0xffff)
	return sum + addrSum(src) + addrSum(dst)
}

func addrSum(a netip.Addr) uint32 {
	b := a.As16()
	part := b[:]
	if a.Is4() {
		part = b[12:]
	}
	sum := uint32(0)
	for i := 0; i < len(part); i += 2 {
		sum += uint32(part[i])<<8 | uint32(part[i+1])
	}
	return sum
}
