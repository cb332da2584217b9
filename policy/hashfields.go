package policy

import (
	"encoding/binary"

	"github.com/yokelag/yoke/agg"
)

// fieldsHash is teamd's transmit hash of a list of fields, folded to eight bits as the
// team driver does. A frame that ends within a header that is asked for has hash 0. Of
// UDP, TCP and SCTP over IPv6 both ports count; teamd loses the source port there.
func fieldsHash(p agg.HashPolicy, frame []byte, tag Tag) uint32 {
	h, ok := fields{p}.ofFrame(frame, tag)
	if !ok {
		return 0
	}
	h ^= h >> 16
	return (h ^ h>>8) & 0xff
}

const typeVLAN = 0x8100

type fields struct{ want agg.HashPolicy }

func (f fields) has(any agg.HashPolicy) bool { return f.want&any&^agg.HashFields != 0 }

func (f fields) ofFrame(frame []byte, tag Tag) (h uint32, ok bool) {
	if len(frame) < ethernetLen {
		return 0, false
	}
	if f.has(agg.FieldEth) {
		h = addressHash(frame) ^ addressHash(frame[6:])
	}
	kind, at := binary.BigEndian.Uint16(frame[12:]), ethernetLen
	inFrame := kind == typeVLAN
	switch {
	case inFrame && len(frame) < at+4:
		return 0, false
	case inFrame:
		if f.has(agg.FieldVLAN) {
			h ^= uint32(binary.BigEndian.Uint16(frame[at:])) & 0xfff
		}
		kind, at = binary.BigEndian.Uint16(frame[at+2:]), at+4
	case tag.Present && f.has(agg.FieldVLAN):
		h ^= uint32(tag.TCI)
	}
	n, ok := f.network(frame[at:], kind)
	return h ^ n, ok
}

// addressHash folds an Ethernet address.
func addressHash(a []byte) uint32 {
	return binary.BigEndian.Uint32(a[2:]) ^ uint32(binary.BigEndian.Uint16(a))
}

// network is the part of IP; of any other type there is none.
func (f fields) network(b []byte, kind uint16) (uint32, bool) {
	const l4 = agg.FieldTCP | agg.FieldUDP | agg.FieldSCTP
	switch {
	case kind == typeIPv4 && f.has(agg.FieldIPv4|l4):
		return f.ip4(b)
	case kind == typeIPv6 && f.has(agg.FieldIPv6|l4):
		return f.ip6(b)
	default:
		return 0, true
	}
}

func (f fields) ip4(b []byte) (h uint32, ok bool) {
	if len(b) < ipv4Len {
		return 0, false
	}
	if f.has(agg.FieldIPv4) {
		h = binary.BigEndian.Uint32(b[12:]) ^ binary.BigEndian.Uint32(b[16:])
	}
	if binary.BigEndian.Uint16(b[6:])&0x1fff != 0 {
		return h, true // not the first fragment, which alone has ports
	}
	ports, ok := f.ports(b, int(b[0]&0xf)*4, b[9])
	return h ^ ports, ok
}

func (f fields) ip6(b []byte) (h uint32, ok bool) {
	if len(b) < ipv6Len {
		return 0, false
	}
	if f.has(agg.FieldIPv6) {
		for at := 8; at < ipv6Len; at += 4 {
			h ^= binary.BigEndian.Uint32(b[at:])
		}
	}
	ports, ok := f.ports(b, ipv6Len, b[6])
	return h ^ ports, ok
}

func (f fields) ports(b []byte, at int, proto byte) (uint32, bool) {
	if !f.has(fieldOf(proto)) {
		return 0, true
	}
	if len(b) < at+4 {
		return 0, false
	}
	return uint32(binary.BigEndian.Uint16(b[at:]) ^ binary.BigEndian.Uint16(b[at+2:])), true
}

// fieldOf is the field that asks for the ports of a protocol, 0 where there is none.
func fieldOf(proto byte) agg.HashPolicy {
	switch proto {
	case protoTCP:
		return agg.FieldTCP
	case protoUDP:
		return agg.FieldUDP
	case protoSCTP:
		return agg.FieldSCTP
	default:
		return 0
	}
}
