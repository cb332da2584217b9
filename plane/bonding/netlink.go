package bonding

import (
	"encoding/binary"
)

const (
	attrMask   = 0x3fff // without the flags NESTED and NET_BYTEORDER
	nestedFlag = 0x8000
)

// attributes calls fn for each attribute of b.
func attributes(b []byte, fn func(kind int, data []byte) error) error {
	for len(b) > 0 {
		if len(b) < 4 {
			return errShort
		}
		n := int(binary.NativeEndian.Uint16(b))
		if n < 4 || n > len(b) {
			return errShort
		}
		if err := fn(int(binary.NativeEndian.Uint16(b[2:])&attrMask), b[4:n]); err != nil {
			return err
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return nil
}

func appendAttribute(b []byte, kind int, data []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(4+len(data)))
	b = binary.NativeEndian.AppendUint16(b, uint16(kind))
	b = append(b, data...)
	return append(b, make([]byte, (4-len(data)%4)%4)...)
}
