package planetest

import (
	"encoding/binary"
)

// frames makes n frames of UDP over IPv4 from the aggregate to many peers, no two of
// one flow. Frames of a length that many tools would ignore are among them.
func frames(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = udp(i)
	}
	return out
}

// udp is a frame of flow i: addresses, ports and MAC addresses all depend on it.
func udp(i int) []byte {
	const payload = 26
	f := make([]byte, 14+20+8+payload+i%7)
	copy(f, []byte{2, 0x59, 1, 0, byte(i >> 8), byte(i)})
	copy(f[6:], []byte{2, 0x59, 0, 0, 0, 1})
	binary.BigEndian.PutUint16(f[12:], 0x0800)
	ip := f[14:]
	ip[0], ip[8], ip[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	copy(ip[12:], []byte{198, 18, 0, byte(i % 5)})
	copy(ip[16:], []byte{198, 19, byte(i >> 8), byte(i)})
	binary.BigEndian.PutUint16(ip[10:], checksum(ip[:20]))
	u := ip[20:]
	binary.BigEndian.PutUint16(u, uint16(1024+i*7))
	binary.BigEndian.PutUint16(u[2:], uint16(5000+i%3))
	binary.BigEndian.PutUint16(u[4:], uint16(len(u)))
	binary.BigEndian.PutUint32(u[8:], uint32(i)) // so that no two frames are alike
	return f
}

// reports are IGMP reports, no two alike.
func reports(n int) [][]byte {
	out := frames(n)
	for _, f := range out {
		copy(f, []byte{1, 0, 0x5e, 0, 0, 0x16})
		f[14+9] = 2 // the protocol
		copy(f[14+16:], []byte{224, 0, 0, 22})
		f[14+10], f[14+11] = 0, 0
		binary.BigEndian.PutUint16(f[14+10:], checksum(f[14:34]))
	}
	return out
}

// inbound are frames to the aggregate.
func inbound(n int) [][]byte {
	out := frames(n)
	for _, f := range out {
		var src [6]byte
		copy(src[:], f)
		copy(f, f[6:12])
		copy(f[6:], src[:])
	}
	return out
}

func checksum(b []byte) uint16 {
	sum := uint32(0)
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
