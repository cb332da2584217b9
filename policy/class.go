package policy

import (
	"encoding/binary"

	"github.com/yokelag/yoke/agg"
)

const (
	typeSlow  = 0x8809
	protoIGMP = 2
)

// ClassesOf returns the classes that a frame belongs to, all but agg.ClassBFD. Every
// plane that treats classes apart computes exactly this.
func ClassesOf(frame []byte) agg.FrameClass {
	if len(frame) < ethernetLen {
		return 0
	}
	var c agg.FrameClass
	if frame[0]&1 != 0 {
		c = agg.ClassGroup
	}
	b := frame[ethernetLen:]
	switch binary.BigEndian.Uint16(frame[12:]) {
	case typeIPv4:
		if len(b) >= ipv4Len && b[9] == protoIGMP {
			c |= agg.ClassIGMP
		}
	case typeIPv6:
		if len(b) > ipv6Len && b[6] == protoICMPv6 && (b[ipv6Len] == 135 || b[ipv6Len] == 136) {
			c |= agg.ClassNeighbor
		}
	case typeARP:
		c |= agg.ClassNotIP | agg.ClassARP | agg.ClassNeighbor
	case typeSlow:
		c |= agg.ClassNotIP | agg.ClassSlow
	default:
		c |= agg.ClassNotIP
	}
	return c
}
