package slow

import "github.com/yokelag/yoke/wire"

// Addr is an Ethernet address.
type Addr = [6]byte

// Group is the slow protocols' multicast address. No bridge forwards it.
func Group() Addr { return Addr{0x01, 0x80, 0xc2, 0x00, 0x00, 0x02} }

// NearestNonTPMR and NearestCustomer are the other destinations that
// aAggPortProtocolDA may hold since 802.1AX-2014 (clause 6.2.10.2).
func NearestNonTPMR() Addr { return Addr{0x01, 0x80, 0xc2, 0x00, 0x00, 0x03} }

// NearestCustomer is the address of the nearest customer bridge.
func NearestCustomer() Addr { return Addr{0x01, 0x80, 0xc2, 0x00, 0x00, 0x00} }

// Lengths in bytes, without FCS.
const (
	// PDULen is the length of a LACPDU of version 1 and of a Marker PDU.
	PDULen = 110
	// FrameLen is that of the untagged frame around it.
	FrameLen = wire.EthernetLen + PDULen
)

// Subtype is the first byte of a slow protocol (802.3 table 57A-3).
type Subtype uint8

// The subtypes. 4 to 9 are reserved, 0 and those above 10 are illegal.
const (
	SubtypeLACP   Subtype = 1
	SubtypeMarker Subtype = 2
	SubtypeOAM    Subtype = 3
	SubtypeOSSP   Subtype = 10
)

// The reasons to drop a frame.
const (
	NotSlow        wire.Drop = "slow-other-ethertype"
	OtherGroup     wire.Drop = "slow-other-destination"
	Tagged         wire.Drop = "slow-tagged"
	ShortSlow      wire.Drop = "short-slow"
	IllegalSubtype wire.Drop = "slow-illegal-subtype"
	// NotOurs is a slow protocol of somebody else: it is passed on and not counted.
	NotOurs wire.Drop = "slow-not-ours"
)

// Frame is an opened envelope. Payload begins with the subtype and aliases the frame.
type Frame struct {
	Dst, Src Addr
	Subtype  Subtype
	Payload  []byte
}

// Parse opens the envelope of a frame, from the destination address on and without
// FCS. The destination must be Group or, where it is not zero, also. A priority tag
// (VLAN 0) is ignored, any other tag is refused.
func Parse(frame []byte, also Addr) (f Frame, err error) {
	h, payload, err := wire.ParseEthernet(frame)
	if err != nil {
		return f, err
	}
	f.Dst, f.Src = h.Dst, h.Src
	if h.Type != wire.TypeSlow {
		return f, NotSlow
	}
	if h.Dst != Group() && (also == Addr{} || h.Dst != also) {
		return f, OtherGroup
	}
	for i := range h.Tags.Len() {
		if h.Tags.At(i).ID() != 0 {
			return f, Tagged
		}
	}
	if len(payload) == 0 {
		return f, ShortSlow
	}
	f.Subtype, f.Payload = Subtype(payload[0]), payload
	switch {
	case f.Subtype == SubtypeLACP || f.Subtype == SubtypeMarker:
		return f, nil
	case f.Subtype == 0 || f.Subtype > SubtypeOSSP:
		return f, IllegalSubtype
	default:
		return f, NotOurs
	}
}

// Counter is one of the counters that received slow frames are dropped under. The
// first two are the standard's (802.1AX-2014 clauses 7.3.3.1.5 and 7.3.3.1.6).
type Counter uint8

// The counters.
const (
	CountNothing Counter = iota
	CountIllegal         // aAggPortStatsIllegalRx
	CountUnknown         // aAggPortStatsUnknownRx
	CountTagged
	CountBadTLV
)

// CounterOf returns the counter that a drop belongs to.
func CounterOf(d wire.Drop) Counter {
	switch d {
	case NotOurs:
		return CountNothing
	case NotSlow, OtherGroup, MarkerUnknown:
		return CountUnknown
	case Tagged:
		return CountTagged
	case BadTLV:
		return CountBadTLV
	default:
		return CountIllegal
	}
}

// header appends the untagged header.
func header(b []byte, dst, src Addr) []byte {
	return wire.Ethernet{Dst: dst, Src: src, Type: wire.TypeSlow}.AppendTo(b)
}
