package vethtest_test

import (
	"encoding/binary"
	"math/rand/v2"
)

// anyFrame makes a frame of some kind that a host may send, with the given number in
// its last bytes so that no two are equal.
func anyFrame(r *rand.Rand, number uint32) []byte {
	f := make([]byte, 0, 512)
	for range 12 {
		f = append(f, byte(r.Uint32()))
	}
	f[0] &^= 1 // mostly unicast
	if r.IntN(8) == 0 {
		f[0] |= 1
	}
	f[6] &^= 1
	for n := 0; n < 3 && r.IntN(4) == 0; n++ {
		f = binary.BigEndian.AppendUint16(f, []uint16{0x8100, 0x88a8}[r.IntN(2)])
		f = binary.BigEndian.AppendUint16(f, uint16(r.Uint32()))
	}
	f = network(r, f, 3)
	for len(f) < 60 {
		f = append(f, 0)
	}
	return binary.BigEndian.AppendUint32(f, number)
}

// network appends a type and what is behind it, with at most so many headers within
// headers.
func network(r *rand.Rand, f []byte, depth int) []byte {
	switch r.IntN(12) {
	case 0, 1, 2, 3, 4:
		return ipv4(r, binary.BigEndian.AppendUint16(f, 0x0800), depth)
	case 5, 6, 7:
		return ipv6(r, binary.BigEndian.AppendUint16(f, 0x86dd), depth)
	case 8:
		return noise(r, binary.BigEndian.AppendUint16(f, 0x0806), 28)
	case 9: // PPPoE
		f = append(binary.BigEndian.AppendUint16(f, 0x8864), 0x11, 0, 0, 1, 0, 60)
		if r.IntN(2) == 0 {
			return ipv4(r, append(f, 0, 0x21), depth)
		}
		return ipv6(r, append(f, 0, 0x57), depth)
	case 10: // MPLS
		return noise(r, binary.BigEndian.AppendUint16(f, []uint16{0x8847, 0x8848}[r.IntN(2)]), r.IntN(60))
	default:
		// Above 0x600 it is a type; types that planes know are made above, well formed.
		return noise(r, binary.BigEndian.AppendUint16(f, 0x9000+uint16(r.IntN(0x1000))), r.IntN(60))
	}
}

// protocols are those with and without ports, and those with a parser of their own.
var protocols = []byte{1, 2, 4, 6, 6, 6, 17, 17, 17, 33, 41, 47, 47, 50, 51, 58, 89, 132, 136, 137}

func ipv4(r *rand.Rand, f []byte, depth int) []byte {
	options := 0
	if r.IntN(6) == 0 {
		options = r.IntN(11)
	}
	start := len(f)
	f = noise(r, f, 20+4*options)
	f[start] = 0x40 | byte(5+options)
	if r.IntN(6) != 0 {
		f[start+6], f[start+7] = 0x40, 0 // mostly no fragment
	}
	proto := protocols[r.IntN(len(protocols))]
	f[start+9] = proto
	f = transport(r, f, proto, depth)
	binary.BigEndian.PutUint16(f[start+2:], uint16(len(f)-start))
	return f
}

func ipv6(r *rand.Rand, f []byte, depth int) []byte {
	start := len(f)
	f = noise(r, f, 40)
	f[start] = 0x60 | f[start]&0xf
	proto := append(protocols, 0, 43, 44, 60)[r.IntN(len(protocols)+4)]
	f[start+6] = proto
	for n := 0; n < 3 && (proto == 0 || proto == 43 || proto == 60); n++ { // extension headers
		words := r.IntN(3)
		next := append(protocols, 0, 43, 44, 60)[r.IntN(len(protocols)+4)]
		f = noise(r, append(f, next, byte(words)), 6+8*words)
		proto = next
	}
	if proto == 44 {
		proto = protocols[r.IntN(len(protocols))]
		offset := byte(0)
		if r.IntN(2) == 0 {
			offset = byte(r.IntN(4)) << 3
		}
		f = noise(r, append(f, proto, 0, 0, offset|byte(r.IntN(2))), 4)
	}
	f = transport(r, f, proto, depth)
	binary.BigEndian.PutUint16(f[start+4:], uint16(len(f)-start-40))
	return f
}

// transport makes tunnels and types of ICMP that occur likely, and the rest noise.
func transport(r *rand.Rand, f []byte, proto byte, depth int) []byte {
	if depth > 0 && r.IntN(4) != 0 {
		switch proto {
		case 4:
			return ipv4(r, f, depth-1)
		case 41:
			return ipv6(r, f, depth-1)
		case 47:
			return gre(r, f, depth-1)
		}
	}
	start := len(f)
	f = noise(r, f, 8+r.IntN(60))
	if proto == 1 || proto == 58 {
		f[start] = []byte{0, 1, 3, 5, 8, 11, 12, 13, 128, 129, 135}[r.IntN(11)]
		if r.IntN(4) == 0 {
			f[start+4], f[start+5] = 0, 0 // the id that is replaced by 1
		}
	}
	return f
}

// gre makes a GRE header with any of its fields, and what it carries.
func gre(r *rand.Rand, f []byte, depth int) []byte {
	flags := uint16(0)
	length := 0
	for _, flag := range []uint16{0x8000, 0x2000, 0x1000} { // checksum, key, sequence
		if r.IntN(3) == 0 {
			flags |= flag
			length += 4
		}
	}
	f = binary.BigEndian.AppendUint16(f, flags)
	if r.IntN(3) == 0 { // an Ethernet frame
		f = noise(r, binary.BigEndian.AppendUint16(f, 0x6558), length)
		return network(r, noise(r, f, 12), depth)
	}
	if r.IntN(2) == 0 {
		return ipv4(r, noise(r, binary.BigEndian.AppendUint16(f, 0x0800), length), depth)
	}
	return ipv6(r, noise(r, binary.BigEndian.AppendUint16(f, 0x86dd), length), depth)
}

func noise(r *rand.Rand, f []byte, n int) []byte {
	for range n {
		f = append(f, byte(r.Uint32()))
	}
	return f
}
