package wire

import "encoding/binary"

// Lengths of the headers above IP in bytes, without TCP options.
const (
	TCPLen  = 20
	UDPLen  = 8
	ICMPLen = 8
)

// UDP is a header of RFC 768.
type UDP struct {
	SrcPort, DstPort uint16
	Length           uint16 // header and data, in bytes
	Checksum         uint16
}

// ParseUDP reads a header and returns all that follows.
func ParseUDP(b []byte) (h UDP, payload []byte, err error) {
	if len(b) < UDPLen {
		return h, nil, ShortUDP
	}
	h.SrcPort, h.DstPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	h.Length, h.Checksum = binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	return h, b[UDPLen:], nil
}

// AppendTo appends the header as it is.
func (h UDP) AppendTo(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, h.SrcPort)
	b = binary.BigEndian.AppendUint16(b, h.DstPort)
	b = binary.BigEndian.AppendUint16(b, h.Length)
	return binary.BigEndian.AppendUint16(b, h.Checksum)
}

// TCP is a header of RFC 9293.
type TCP struct {
	SrcPort, DstPort uint16
	Seq, Ack         uint32
	// Flags are the 4 reserved bits and the 8 flags, FIN the lowest.
	Flags    uint16
	Window   uint16
	Checksum uint16
	Urgent   uint16
	// Options are a multiple of 4 bytes, at most 40. After ParseTCP they point into the
	// frame.
	Options []byte
}

// The flags of TCP.
const (
	TCPFin = 1 << iota
	TCPSyn
	TCPRst
	TCPPsh
	TCPAck
)

// ParseTCP reads a header and returns the data.
func ParseTCP(b []byte) (h TCP, payload []byte, err error) {
	if len(b) < TCPLen {
		return h, nil, ShortTCP
	}
	size := int(b[12]>>4) * 4
	if size < TCPLen {
		return h, nil, BadTCP
	}
	if len(b) < size {
		return h, nil, ShortTCP
	}
	h.SrcPort, h.DstPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	h.Seq, h.Ack = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	h.Flags = binary.BigEndian.Uint16(b[12:]) & 0xfff
	h.Window = binary.BigEndian.Uint16(b[14:])
	h.Checksum, h.Urgent = binary.BigEndian.Uint16(b[16:]), binary.BigEndian.Uint16(b[18:])
	if size > TCPLen {
		h.Options = b[TCPLen:size]
	}
	return h, b[size:], nil
}

// AppendTo appends the header as it is.
func (h TCP) AppendTo(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, h.SrcPort)
	b = binary.BigEndian.AppendUint16(b, h.DstPort)
	b = binary.BigEndian.AppendUint32(b, h.Seq)
	b = binary.BigEndian.AppendUint32(b, h.Ack)
	words := uint16(TCPLen+len(h.Options)) / 4
	b = binary.BigEndian.AppendUint16(b, words<<12|h.Flags&0xfff)
	b = binary.BigEndian.AppendUint16(b, h.Window)
	b = binary.BigEndian.AppendUint16(b, h.Checksum)
	b = binary.BigEndian.AppendUint16(b, h.Urgent)
	return append(b, h.Options...)
}

// ICMP is the header that ICMP (RFC 792) and ICMPv6 (RFC 4443) share.
type ICMP struct {
	Type, Code uint8
	Checksum   uint16
	// ID and Seq are those of an echo; other messages use the four bytes otherwise.
	ID, Seq uint16
}

// The types of an echo.
const (
	ICMPEchoReply     = 0
	ICMPEchoRequest   = 8
	ICMPv6EchoRequest = 128
	ICMPv6EchoReply   = 129
)

// ParseICMP reads a header and returns all that follows.
func ParseICMP(b []byte) (h ICMP, payload []byte, err error) {
	if len(b) < ICMPLen {
		return h, nil, ShortICMP
	}
	h.Type, h.Code, h.Checksum = b[0], b[1], binary.BigEndian.Uint16(b[2:])
	h.ID, h.Seq = binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	return h, b[ICMPLen:], nil
}

// AppendTo appends the header as it is.
func (h ICMP) AppendTo(b []byte) []byte {
	b = append(b, h.Type, h.Code)
	b = binary.BigEndian.AppendUint16(b, h.Checksum)
	b = binary.BigEndian.AppendUint16(b, h.ID)
	return binary.BigEndian.AppendUint16(b, h.Seq)
}
