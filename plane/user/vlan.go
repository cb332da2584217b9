package user

import "encoding/binary"

const (
	macsLen = 12 // both addresses
	tagLen  = 4
	// vnetLen is the length of struct virtio_net_hdr (linux/virtio_net.h).
	vnetLen = 10
)

// Offsets in struct virtio_net_hdr.
const (
	vnetFlags     = 0
	vnetGSOType   = 1
	vnetHdrLen    = 2
	vnetCsumStart = 6

	vnetNeedsCsum = 1
)

// insertTag puts the tag beside the frame into the frame, in place: both addresses and
// the virtio header before them move four bytes down, for which a slot has room. It
// returns the packet, virtio header first.
func insertTag(s slot, tpid, tci uint16) []byte {
	start := int(s.u16(offMAC)) - vnetLen
	p := s[start-tagLen : start+vnetLen+int(s.u32(offSnapLen))]
	copy(p, p[tagLen:tagLen+vnetLen+macsLen])
	binary.BigEndian.PutUint16(p[vnetLen+macsLen:], tpid)
	binary.BigEndian.PutUint16(p[vnetLen+macsLen+2:], tci)
	if p[vnetFlags]&vnetNeedsCsum != 0 {
		add16(p[vnetCsumStart:], tagLen)
	}
	if p[vnetGSOType] != 0 {
		add16(p[vnetHdrLen:], tagLen)
	}
	return p
}

func add16(b []byte, n uint16) {
	binary.NativeEndian.PutUint16(b, binary.NativeEndian.Uint16(b)+n)
}
