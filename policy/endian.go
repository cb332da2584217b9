package policy

import "encoding/binary"

// Endian is the byte order of the machine whose hash is computed.
type Endian uint8

// The byte orders.
const (
	LittleEndian Endian = iota
	BigEndian
)

// NativeEndian returns this machine's byte order.
func NativeEndian() Endian {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return LittleEndian
	}
	return BigEndian
}

// word loads four bytes as the machine does.
func (e Endian) word(b []byte) uint32 {
	if e == BigEndian {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

// icmpWord is type, code and the identifier as a number of the machine, in the order
// in which they lie in memory, loaded as one word.
func (e Endian) icmpWord(kind, code byte, id uint16) uint32 {
	if e == BigEndian {
		return uint32(kind)<<24 | uint32(code)<<16 | uint32(id)
	}
	return uint32(kind) | uint32(code)<<8 | uint32(id)<<16
}
