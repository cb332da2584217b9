package policy

import "encoding/binary"

// maxSteps is how many headers a dissection follows, the first included.
const maxSteps = 16

// Numbers that only the encap policies know.
const (
	typeQinQ    = 0x88A8
	typeTEB     = 0x6558 // an Ethernet frame in GRE
	typePPPoE   = 0x8864
	typeMPLS    = 0x8847
	typeMPLSMC  = 0x8848
	typeARP     = 0x0806
	typeRARP    = 0x8035
	typeHSR     = 0x892F
	typePRP     = 0x88FB
	protoHop    = 0
	protoIPIP   = 4
	protoIPv6   = 41
	protoRoute  = 43
	protoFrag   = 44
	protoGRE    = 47
	protoDstOpt = 60
	protoMPLS   = 137
)

// dissect returns the keys of a frame's innermost headers, as far as the kernel's flow
// dissector goes: through VLAN tags, PPPoE, HSR, IP in IP, GRE, the extension headers of
// IPv6. UDP tunnels are not opened, ICMP errors neither. It is false for a frame that
// the dissector gives up on; one that it knows and that has no addresses (ARP, MPLS)
// has zero keys.
func dissect(order Endian, frame []byte) (keys, bool) {
	if len(frame) < ethernetLen {
		return keys{}, false
	}
	d := dissection{
		keyReader: keyReader{order: order}, frame: frame, at: ethernetLen,
		kind: binary.BigEndian.Uint16(frame[12:]), proto: noProto,
	}
	for range maxSteps {
		verdict := d.step()
		if verdict != further {
			return d.keys, verdict == known
		}
	}
	return d.keys, true
}

// step results.
type found uint8

const (
	further found = iota // there is a next header
	known                // the keys are complete
	lost                 // cut off, or nothing that is known
)

// noProto: the next header is told by its Ethernet type.
const noProto = -1

type dissection struct {
	keyReader
	keys  keys
	frame []byte
	at    int    // where the next header begins
	kind  uint16 // its Ethernet type
	proto int    // its protocol within IP, or noProto
	v6    bool   // which IP that is
}

// header returns n bytes of the next header and goes on behind skip of them.
func (d *dissection) header(n, skip int) ([]byte, bool) {
	if len(d.frame) < d.at+n {
		return nil, false
	}
	h := d.frame[d.at:]
	d.at += skip
	return h[:n], true
}

func (d *dissection) step() found {
	if d.proto != noProto {
		return d.inIP()
	}
	switch d.kind {
	case typeIPv4:
		return d.ip4()
	case typeIPv6:
		return d.ip6()
	case typeVLAN, typeQinQ:
		return d.tagged(4, 2)
	case typeHSR, typePRP:
		return d.tagged(6, 4)
	case typePPPoE:
		return d.pppoe()
	case typeMPLS, typeMPLSMC, typeARP, typeRARP:
		return known
	default:
		return lost
	}
}

// tagged passes a tag of n bytes with the next type at an offset.
func (d *dissection) tagged(n, at int) found {
	h, ok := d.header(n, n)
	if !ok {
		return lost
	}
	d.kind = binary.BigEndian.Uint16(h[at:])
	return further
}

func (d *dissection) pppoe() found {
	h, ok := d.header(8, 8)
	if !ok || h[0] != 0x11 || h[1] != 0 {
		return lost
	}
	kind := binary.BigEndian.Uint16(h[6:])
	if kind&0x0100 != 0 { // one byte, compressed
		kind >>= 8
		d.at--
	}
	switch {
	case kind == 0x21:
		d.kind = typeIPv4
	case kind == 0x57:
		d.kind = typeIPv6
	case kind&0x0101 == 1: // another protocol of PPP
		return known
	default:
		return lost
	}
	return further
}

func (d *dissection) ip4() found {
	h, ok := d.header(ipv4Len, 0)
	if !ok || h[0]&0xf < 5 {
		return lost
	}
	d.at += int(h[0]&0xf) * 4
	d.keys.src, d.keys.dst = d.order.word(h[12:]), d.order.word(h[16:])
	d.v6, d.proto = false, int(h[9])
	if binary.BigEndian.Uint16(h[6:])&0x3fff != 0 {
		return known // a fragment
	}
	return further
}

func (d *dissection) ip6() found {
	h, ok := d.header(ipv6Len, ipv6Len)
	if !ok {
		return lost
	}
	d.keys.src, d.keys.dst = d.fold(h[8:24]), d.fold(h[24:40])
	d.v6, d.proto = true, int(h[6])
	return further
}

func (d *dissection) inIP() found {
	switch d.proto {
	case protoGRE:
		return d.gre()
	case protoHop, protoRoute, protoDstOpt:
		if d.v6 {
			return d.extension()
		}
	case protoFrag:
		if d.v6 {
			return d.fragment()
		}
	case protoIPIP:
		return d.inner(typeIPv4)
	case protoIPv6:
		return d.inner(typeIPv6)
	case protoMPLS:
		return known
	}
	d.keys.l4 = d.ports(d.frame, d.at, d.proto)
	if d.proto == protoICMP || d.proto == protoICMPv6 {
		d.keys.l4, _ = d.icmp(d.frame, d.at, d.proto)
	}
	return known
}

func (d *dissection) inner(kind uint16) found {
	d.kind, d.proto = kind, noProto
	return further
}

func (d *dissection) extension() found {
	h, ok := d.header(2, 0)
	if !ok {
		return lost
	}
	d.proto = int(h[0])
	d.at += (int(h[1]) + 1) * 8
	return further
}

// fragment: even the first one has no ports.
func (d *dissection) fragment() found {
	if _, ok := d.header(8, 8); !ok {
		return lost
	}
	return known
}

// gre looks only into version 0 without routing.
func (d *dissection) gre() found {
	h, ok := d.header(4, 0)
	if !ok {
		return lost
	}
	flags, kind := binary.BigEndian.Uint16(h), binary.BigEndian.Uint16(h[2:])
	if flags&0x4007 != 0 {
		return known
	}
	d.at += 4
	for _, optional := range []uint16{0x8000, 0x2000, 0x1000} { // checksum, key, sequence
		if flags&optional != 0 {
			d.at += 4
		}
	}
	if kind == typeTEB {
		h, ok := d.header(ethernetLen, ethernetLen)
		if !ok {
			return lost
		}
		kind = binary.BigEndian.Uint16(h[12:])
	}
	return d.inner(kind)
}
