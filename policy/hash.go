package policy

import (
	"encoding/binary"

	"github.com/yokelag/yoke/agg"
)

// Tag is a VLAN tag that travels beside the frame, as the kernel keeps one that a VLAN
// device or a NIC has taken out of it. The zero Tag is none.
type Tag struct {
	Present bool
	// TCI is priority, DEI and VLAN id, 16 bits.
	TCI uint16
}

// Hash returns the transmit hash that the bonding driver of this machine's byte order
// computes for a frame. The frame begins with the destination address and is without
// FCS; tag is the one beside the frame. A policy of fields gives the hash of the team
// driver, in 0 to 255.
//
// The driver takes what the sending socket chose at random for encap3+4 where it can;
// here the frame alone counts, so that a flow has one hash that can be computed again.
func Hash(p agg.HashPolicy, frame []byte, tag Tag) uint32 {
	return HashIn(NativeEndian(), p, frame, tag)
}

// HashIn is Hash for a machine of the given byte order: the driver loads addresses and
// ports as native words, so its layer2+3 and layer3+4 depend on it.
func HashIn(order Endian, p agg.HashPolicy, frame []byte, tag Tag) uint32 {
	switch p.Kind() {
	case agg.HashFields:
		return fieldsHash(p, frame, tag)
	case agg.HashEncap23:
		k, ok := dissect(order, frame)
		if !ok {
			return ethernetHash(frame)
		}
		return mix(ethernetHash(frame), k.src, k.dst)
	case agg.HashEncap34:
		k, ok := dissect(order, frame)
		if !ok {
			return ethernetHash(frame)
		}
		return mix(k.l4, k.src, k.dst) >> 1
	case agg.HashVLANSrcMAC:
		return vlanSrcMAC(frame, tag)
	case agg.HashLayer2:
		return ethernetHash(frame)
	case agg.HashLayer23:
		k, ok := hashKeys(order, frame, false)
		if !ok {
			return ethernetHash(frame)
		}
		return mix(ethernetHash(frame), k.src, k.dst)
	case agg.HashLayer34:
		k, ok := hashKeys(order, frame, true)
		if !ok {
			return ethernetHash(frame)
		}
		return mix(k.l4, k.src, k.dst) >> 1 // ports are often all even
	default:
		return 0
	}
}

const ethernetLen = 14

// ethernetHash is the last bytes of both addresses and the type, as in the frame.
func ethernetHash(frame []byte) uint32 {
	if len(frame) < ethernetLen {
		return 0
	}
	return uint32(frame[5]^frame[11]) ^ uint32(binary.BigEndian.Uint16(frame[12:]))
}

func vlanSrcMAC(frame []byte, tag Tag) uint32 {
	if len(frame) < ethernetLen {
		return 0
	}
	tci := uint32(0)
	if tag.Present {
		tci = uint32(tag.TCI)
	}
	vendor := uint32(frame[6])<<16 | uint32(frame[7])<<8 | uint32(frame[8])
	device := uint32(frame[9])<<16 | uint32(frame[10])<<8 | uint32(frame[11])
	return tci ^ vendor ^ device
}

// mix folds both addresses into a hash.
func mix(h, src, dst uint32) uint32 {
	h ^= dst ^ src
	h ^= h >> 16
	return h ^ h>>8
}
