package policy

import (
	"encoding/binary"

	"github.com/yokelag/yoke/agg"
)

// ClassOf returns the classes of a frame. The frame begins with the destination address
// and is without a tag that travels beside it.
func ClassOf(frame []byte) (c agg.FrameClass) {
	if len(frame) < ethernetLen {
		return agg.ClassNotIP
	}
	if frame[0]&1 != 0 {
		c |= agg.ClassGroup
	}
	packet := frame[ethernetLen:]
	switch binary.BigEndian.Uint16(frame[12:]) {
	case typeSlow:
		return c | agg.ClassSlow | agg.ClassNotIP
	case typeARP:
		return c | agg.ClassARP | agg.ClassNeighbor | agg.ClassNotIP
	case typeIPv4:
		return c | classOfIPv4(packet)
	case typeIPv6:
		return c | classOfIPv6(packet)
	default:
		return c | agg.ClassNotIP
	}
}

const (
	typeSlow = 0x8809

	protoIGMP = 2
	// portBFD is micro-BFD's (RFC 7130).
	portBFD = 6784

	neighborSolicitation  = 135
	neighborAdvertisement = 136
)

func classOfIPv4(packet []byte) agg.FrameClass {
	switch {
	case len(packet) < ipv4Len || binary.BigEndian.Uint16(packet[6:])&0x1fff != 0:
		return 0 // or a fragment that is not the first
	case packet[9] == protoIGMP:
		return agg.ClassIGMP
	case packet[9] == protoUDP:
		return classOfUDP(packet, int(packet[0]&0xf)*4)
	default:
		return 0
	}
}

func classOfIPv6(packet []byte) agg.FrameClass {
	switch {
	case len(packet) <= ipv6Len:
		return 0
	case packet[6] == protoICMPv6 && (packet[ipv6Len] == neighborSolicitation || packet[ipv6Len] == neighborAdvertisement):
		return agg.ClassNeighbor
	case packet[6] == protoUDP:
		return classOfUDP(packet, ipv6Len)
	default:
		return 0
	}
}

func classOfUDP(packet []byte, at int) agg.FrameClass {
	if len(packet) >= at+4 && binary.BigEndian.Uint16(packet[at+2:]) == portBFD {
		return agg.ClassBFD
	}
	return 0
}
