package wire

import (
	"encoding/binary"
	"net/netip"
)

// Flow is what the frames of one conversation have in common, in one direction. It
// makes frames for tests, for the lab and for explanations.
type Flow struct {
	SrcMAC, DstMAC [6]byte
	Tags           Tags
	// Src and Dst are of one family; where both are invalid the frame carries no IP, and
	// Type says what else.
	Src, Dst netip.Addr
	Type     EtherType
	Protocol Protocol
	// SrcPort and DstPort are those of TCP and UDP; SrcPort is the identifier of an
	// ICMP echo.
	SrcPort, DstPort uint16
	// Seq is the sequence number of TCP and ICMP frames.
	Seq uint32
}

// AppendTo appends a whole frame with the given payload and right checksums.
func (f Flow) AppendTo(b, payload []byte) []byte {
	h := Ethernet{Dst: f.DstMAC, Src: f.SrcMAC, Tags: f.Tags, Type: f.etherType()}
	b = h.AppendTo(b)
	if !f.Src.IsValid() || !f.Dst.IsValid() {
		return append(b, payload...)
	}
	size := f.transportLen() + len(payload)
	if f.Src.Is4() {
		b = IPv4{TotalLen: uint16(IPv4Len + size), Fragment: DontFragment, TTL: 64, Protocol: f.Protocol, Src: f.Src, Dst: f.Dst}.AppendTo(b)
	} else {
		b = IPv6{PayloadLen: uint16(size), NextHeader: f.Protocol, HopLimit: 64, Src: f.Src, Dst: f.Dst}.AppendTo(b)
	}
	return f.appendTransport(b, payload)
}

func (f Flow) etherType() EtherType {
	switch {
	case !f.Src.IsValid() || !f.Dst.IsValid():
		return f.Type
	case f.Src.Is4():
		return TypeIPv4
	default:
		return TypeIPv6
	}
}

func (f Flow) transportLen() int {
	switch f.Protocol {
	case ProtoTCP:
		return TCPLen
	case ProtoUDP:
		return UDPLen
	case ProtoICMP, ProtoICMPv6:
		return ICMPLen
	default:
		return 0
	}
}

func (f Flow) appendTransport(b, payload []byte) []byte {
	start := len(b)
	at := 0 // of the checksum
	switch f.Protocol {
	case ProtoTCP:
		b, at = TCP{SrcPort: f.SrcPort, DstPort: f.DstPort, Seq: f.Seq, Flags: TCPAck, Window: 0xffff}.AppendTo(b), 16
	case ProtoUDP:
		b, at = UDP{SrcPort: f.SrcPort, DstPort: f.DstPort, Length: uint16(UDPLen + len(payload))}.AppendTo(b), 6
	case ProtoICMP:
		b, at = ICMP{Type: ICMPEchoRequest, ID: f.SrcPort, Seq: uint16(f.Seq)}.AppendTo(b), 2
	case ProtoICMPv6:
		b, at = ICMP{Type: ICMPv6EchoRequest, ID: f.SrcPort, Seq: uint16(f.Seq)}.AppendTo(b), 2
	default: // the payload alone
	}
	b = append(b, payload...)
	if at == 0 {
		return b
	}
	partial := uint32(0)
	if f.Protocol != ProtoICMP {
		partial = PseudoHeader(f.Src, f.Dst, f.Protocol, len(b)-start)
	}
	sum := Checksum(b[start:], partial)
	if sum == 0 && f.Protocol == ProtoUDP {
		sum = 0xffff // 0 means "none" in UDP
	}
	binary.BigEndian.PutUint16(b[start+at:], sum)
	return b
}
