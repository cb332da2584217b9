package vethtest_test

import (
	"encoding/binary"
	"math/rand/v2"
)

// anyFrame makes a frame of some kind that a host may send, with the given number in
// its last bytes so that no two are equal.
func anyFrame(r *rand.Rand, number uint32) []byte {
	f := make([]byte, 0, 200)
	for range 12 {
		f = append(f, byte(r.Uint32()))
	}
	f[0] &^= 1 // mostly unicast
	if r.IntN(8) == 0 {
		f[0] |= 1
	}
	f[6] &^= 1
	if r.IntN(4) == 0 {
		f = binary.BigEndian.AppendUint16(f, []uint16{0x8100, 0x88a8}[r.IntN(2)])
		f = binary.BigEndian.AppendUint16(f, uint16(r.Uint32()))
	}
	switch r.IntN(10) {
	case 0, 1, 2, 3, 4:
		f = ipv4(r, f)
	case 5, 6, 7:
		f = ipv6(r, f)
	case 8:
		f = noise(r, binary.BigEndian.AppendUint16(f, 0x0806), 28)
	default:
		// Above 0x600 it is a type; IP types are made above, where they are well formed.
		f = noise(r, binary.BigEndian.AppendUint16(f, 0x9000+uint16(r.IntN(0x1000))), r.IntN(60))
	}
	for len(f) < 60 {
		f = append(f, 0)
	}
	return binary.BigEndian.AppendUint32(f, number)
}

// protocols are those with and without ports, and those with a parser of their own.
var protocols = []byte{1, 2, 6, 6, 6, 17, 17, 17, 33, 47, 50, 51, 58, 89, 132, 136}

func ipv4(r *rand.Rand, f []byte) []byte {
	f = binary.BigEndian.AppendUint16(f, 0x0800)
	options := 0
	if r.IntN(6) == 0 {
		options = r.IntN(11)
	}
	head := make([]byte, 20+4*options)
	for i := range head {
		head[i] = byte(r.Uint32())
	}
	head[0] = 0x40 | byte(5+options)
	body := 8 + r.IntN(60)
	binary.BigEndian.PutUint16(head[2:], uint16(len(head)+body))
	if r.IntN(6) != 0 {
		head[6], head[7] = 0x40, 0 // mostly no fragment
	}
	head[9] = protocols[r.IntN(len(protocols))]
	return layer4(r, append(f, head...), head[9], body)
}

func ipv6(r *rand.Rand, f []byte) []byte {
	f = binary.BigEndian.AppendUint16(f, 0x86dd)
	head := make([]byte, 40)
	for i := range head {
		head[i] = byte(r.Uint32())
	}
	head[0] = 0x60 | head[0]&0xf
	body := 8 + r.IntN(60)
	binary.BigEndian.PutUint16(head[4:], uint16(body))
	head[6] = append(protocols, 0, 43, 44, 60)[r.IntN(len(protocols)+4)]
	return layer4(r, append(f, head...), head[6], body)
}

// layer4 makes types of ICMP that occur likely, and the rest noise.
func layer4(r *rand.Rand, f []byte, protocol byte, body int) []byte {
	start := len(f)
	f = noise(r, f, body)
	if protocol == 1 || protocol == 58 {
		f[start] = []byte{0, 1, 3, 5, 8, 11, 12, 13, 128, 129, 135}[r.IntN(11)]
		if r.IntN(4) == 0 {
			f[start+4], f[start+5] = 0, 0 // the id that is replaced by 1
		}
	}
	return f
}

func noise(r *rand.Rand, f []byte, n int) []byte {
	for range n {
		f = append(f, byte(r.Uint32()))
	}
	return f
}
