package arp

import (
	"encoding/binary"
	"net/netip"

	"github.com/yokelag/yoke/wire"
)

// Len is the length of a packet in bytes.
const Len = 28

// The operations.
const (
	Request = 1
	Reply   = 2
)

// The reasons to drop a packet.
const (
	Short    wire.Drop = "short-arp"
	NotIPv4  wire.Drop = "arp-not-ethernet-ipv4"
	hardware           = 1 // Ethernet
)

// Packet is ARP for Ethernet and IPv4.
type Packet struct {
	Operation            uint16
	SenderMAC, TargetMAC [6]byte
	SenderIP, TargetIP   netip.Addr
}

// Parse reads the payload of a frame of wire.TypeARP. What follows the packet is
// padding.
func Parse(b []byte) (p Packet, err error) {
	if len(b) < Len {
		return p, Short
	}
	if binary.BigEndian.Uint16(b) != hardware || binary.BigEndian.Uint16(b[2:]) != uint16(wire.TypeIPv4) || b[4] != 6 || b[5] != 4 {
		return p, NotIPv4
	}
	p.Operation = binary.BigEndian.Uint16(b[6:])
	p.SenderMAC, p.SenderIP = [6]byte(b[8:]), netip.AddrFrom4([4]byte(b[14:]))
	p.TargetMAC, p.TargetIP = [6]byte(b[18:]), netip.AddrFrom4([4]byte(b[24:]))
	return p, nil
}

// AppendTo appends the packet. Both IP addresses must be IPv4.
func (p Packet) AppendTo(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, hardware)
	b = binary.BigEndian.AppendUint16(b, uint16(wire.TypeIPv4))
	b = append(b, 6, 4)
	b = binary.BigEndian.AppendUint16(b, p.Operation)
	sender, target := p.SenderIP.As4(), p.TargetIP.As4()
	b = append(b, p.SenderMAC[:]...)
	b = append(b, sender[:]...)
	b = append(b, p.TargetMAC[:]...)
	return append(b, target[:]...)
}

// IsGratuitous reports whether the packet announces its sender.
func (p Packet) IsGratuitous() bool { return p.SenderIP == p.TargetIP }

// AppendGratuitous appends the frame that announces that ip is at mac: a broadcast
// request for its own address, as Linux sends it. ip must be IPv4.
func AppendGratuitous(b []byte, mac [6]byte, ip netip.Addr, tags wire.Tags) []byte {
	b = wire.Ethernet{Dst: wire.Broadcast, Src: mac, Tags: tags, Type: wire.TypeARP}.AppendTo(b)
	return Packet{Operation: Request, SenderMAC: mac, SenderIP: ip, TargetIP: ip}.AppendTo(b)
}
