package policy

import "encoding/binary"

// keys are what the IP hashes are made of, already as words of the byte order.
type keys struct {
	src, dst uint32
	// l4 is the ports, the SPI or the ICMP key; 0 where there is none.
	l4 uint32
}

// Numbers of the internet protocol registry, as far as the hash knows them.
const (
	protoICMP    = 1
	protoTCP     = 6
	protoUDP     = 17
	protoDCCP    = 33
	protoESP     = 50
	protoAH      = 51
	protoICMPv6  = 58
	protoSCTP    = 132
	protoUDPLite = 136
)

const (
	typeIPv4 = 0x0800
	typeIPv6 = 0x86DD

	ipv4Len = 20
	ipv6Len = 40
	icmpLen = 8
)

// hashKeys reads the addresses and, if deep, the layer 4 key of a frame. It is false
// for what is not IP, or too short for its header. Tags inside the frame hide IP.
func hashKeys(order Endian, frame []byte, deep bool) (keys, bool) {
	if len(frame) < ethernetLen {
		return keys{}, false
	}
	r := keyReader{order: order, etherType: binary.BigEndian.Uint16(frame[12:]), deep: deep}
	k, at, proto, ok := r.network(frame, ethernetLen)
	if !ok || proto != protoICMP && proto != protoICMPv6 {
		return k, ok
	}
	id, isError := r.icmp(frame, at, proto)
	if isError {
		// The hash is that of the packet that the error is about.
		k, _, _, ok = r.network(frame, at+icmpLen)
	}
	if deep && id != 0 {
		k.l4 = id
	}
	return k, ok
}

type keyReader struct {
	order     Endian
	etherType uint16
	deep      bool
}

// network reads the IP header at an offset. proto is -1 where layer 4 must not be
// looked at (fragments); at is where layer 4 begins.
func (r keyReader) network(frame []byte, at int) (k keys, l4 int, proto int, ok bool) {
	proto = -1
	switch r.etherType {
	case typeIPv4:
		if len(frame) < at+ipv4Len {
			return keys{}, at, proto, false
		}
		h := frame[at:]
		k.src, k.dst = r.order.word(h[12:]), r.order.word(h[16:])
		if binary.BigEndian.Uint16(h[6:])&0x3fff == 0 { // neither MF nor an offset
			proto = int(h[9])
		}
		at += int(h[0]&0xf) * 4
	case typeIPv6:
		if len(frame) < at+ipv6Len {
			return keys{}, at, proto, false
		}
		h := frame[at:]
		k.src, k.dst = r.fold(h[8:24]), r.fold(h[24:40])
		proto = int(h[6]) // extension headers are not followed
		at += ipv6Len
	default:
		return keys{}, at, proto, false
	}
	if r.deep && proto >= 0 {
		k.l4 = r.ports(frame, at, proto)
	}
	return k, at, proto, true
}

// fold is the XOR of the four words of an IPv6 address.
func (r keyReader) fold(a []byte) uint32 {
	return r.order.word(a) ^ r.order.word(a[4:]) ^ r.order.word(a[8:]) ^ r.order.word(a[12:])
}

// ports returns the word that holds both ports, or the SPI.
func (r keyReader) ports(frame []byte, at, proto int) uint32 {
	switch proto {
	case protoTCP, protoUDP, protoDCCP, protoESP, protoSCTP, protoUDPLite:
	case protoAH:
		at += 4
	default:
		return 0
	}
	if len(frame) < at+4 {
		return 0
	}
	return r.order.word(frame[at:])
}

// icmp returns the key of an ICMP header that has an identifier, else 0, and whether
// it is an error that carries the packet it is about.
func (r keyReader) icmp(frame []byte, at, proto int) (id uint32, isError bool) {
	if len(frame) < at+icmpLen {
		return 0, false
	}
	h := frame[at:]
	switch h[0] {
	case 0, 8, 13, 14, 128, 129: // by number only, in both versions
		return r.order.icmpWord(h[0], h[1], max(1, binary.BigEndian.Uint16(h[4:]))), false
	}
	return 0, proto == protoICMP && icmpError(h[0]) || proto == protoICMPv6 && icmpv6Error(h[0])
}

func icmpError(t byte) bool   { return t >= 3 && t <= 5 || t == 11 || t == 12 }
func icmpv6Error(t byte) bool { return t >= 1 && t <= 4 }
