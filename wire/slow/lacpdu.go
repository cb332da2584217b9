package slow

import (
	"encoding/binary"

	"github.com/yokelag/yoke/wire"
)

// Version1 is the version that is sent: others are dropped by much of what is in use.
const Version1 = 1

// The types of the TLVs of a LACPDU (802.1AX-2014 clauses 6.4.2.3 and 6.4.2.4).
const (
	TLVTerminator     = 0
	TLVActor          = 1
	TLVPartner        = 2
	TLVCollector      = 3
	TLVPortAlgorithm  = 4
	TLVConversations  = 5
	TLVMask1          = 6
	TLVServiceMapping = 10
)

// The lengths of the first three TLVs, and where what follows them begins.
const (
	infoLen      = 20
	collectorLen = 16
	tailAt       = 58
)

// The reasons to drop a LACPDU, and BadTLV, which only ends a walk.
const (
	ShortLACPDU     wire.Drop = "short-lacpdu"
	BadActor        wire.Drop = "lacpdu-actor-length"
	BadPartner      wire.Drop = "lacpdu-partner-length"
	BadCollector    wire.Drop = "lacpdu-collector-length"
	BadActorAddress wire.Drop = "lacpdu-actor-address"
	BadTLV          wire.Drop = "lacpdu-bad-tlv"
)

// Info is what a LACPDU says of one end.
type Info struct {
	SystemPriority uint16 `json:"system_priority"`
	System         Addr   `json:"system"`
	Key            uint16 `json:"key"`
	PortPriority   uint16 `json:"port_priority"`
	Port           uint16 `json:"port"`
	State          State  `json:"state"`
}

// SystemID returns priority and address as one number; the lower has the better
// priority (802.1AX-2014 clause 6.3.2).
func (i Info) SystemID() uint64 {
	a := i.System
	return uint64(i.SystemPriority)<<48 | uint64(a[0])<<40 | uint64(a[1])<<32 |
		uint64(a[2])<<24 | uint64(a[3])<<16 | uint64(a[4])<<8 | uint64(a[5])
}

// PortID returns priority and number of the port as one number; the lower has the
// better priority (802.1AX-2014 clause 6.3.4).
func (i Info) PortID() uint32 { return uint32(i.PortPriority)<<16 | uint32(i.Port) }

// SameIDs reports whether the five numbers are equal, whatever the states.
func (i Info) SameIDs(j Info) bool {
	i.State, j.State = 0, 0
	return i == j
}

// LACPDU is the part of a LACPDU that version 1 defines.
type LACPDU struct {
	Version        uint8
	Actor, Partner Info
	// MaxDelay is the collector's, in units of 10 microseconds.
	MaxDelay uint16
}

// ParseLACPDU reads the payload of a frame of SubtypeLACP, from the subtype on. It
// checks neither version nor TLV types, as clause 6.4.12 of 802.1AX-2014 asks.
func ParseLACPDU(b []byte) (p LACPDU, err error) {
	switch {
	case len(b) < PDULen:
		return p, ShortLACPDU
	case b[3] != infoLen:
		return p, BadActor
	case b[23] != infoLen:
		return p, BadPartner
	case b[43] != collectorLen:
		return p, BadCollector
	}
	p.Version = b[1]
	p.Actor, p.Partner = parseInfo(b[4:]), parseInfo(b[24:])
	p.MaxDelay = binary.BigEndian.Uint16(b[44:])
	if p.Actor.System == (Addr{}) || p.Actor.System[0]&1 == 1 {
		return p, BadActorAddress
	}
	return p, nil
}

func parseInfo(b []byte) Info {
	return Info{
		SystemPriority: binary.BigEndian.Uint16(b),
		System:         Addr(b[2:8]),
		Key:            binary.BigEndian.Uint16(b[8:]),
		PortPriority:   binary.BigEndian.Uint16(b[10:]),
		Port:           binary.BigEndian.Uint16(b[12:]),
		State:          State(b[14]),
	}
}

// Put writes the PDU to the PDULen bytes of b, without version 2's TLVs.
func (p *LACPDU) Put(b []byte) {
	b = b[:PDULen]
	clear(b)
	b[0], b[1] = byte(SubtypeLACP), p.Version
	b[2], b[3] = TLVActor, infoLen
	p.Actor.put(b[4:])
	b[22], b[23] = TLVPartner, infoLen
	p.Partner.put(b[24:])
	b[42], b[43] = TLVCollector, collectorLen
	binary.BigEndian.PutUint16(b[44:], p.MaxDelay)
}

func (i *Info) put(b []byte) {
	binary.BigEndian.PutUint16(b, i.SystemPriority)
	copy(b[2:], i.System[:])
	binary.BigEndian.PutUint16(b[8:], i.Key)
	binary.BigEndian.PutUint16(b[10:], i.PortPriority)
	binary.BigEndian.PutUint16(b[12:], i.Port)
	b[14] = byte(i.State)
}

// AppendTo appends the PDU.
func (p *LACPDU) AppendTo(b []byte) []byte {
	var pdu [PDULen]byte
	p.Put(pdu[:])
	return append(b, pdu[:]...)
}

// AppendFrame appends the whole untagged frame.
func (p *LACPDU) AppendFrame(b []byte, dst, src Addr) []byte {
	return p.AppendTo(header(b, dst, src))
}

// TLV is one item behind the collector's in a LACPDU. Value aliases the PDU.
type TLV struct {
	Type  uint8
	Value []byte
}

// TLVs calls yield for every TLV behind the first three, up to the terminator, and
// returns BadTLV where one runs past the end or is shorter than its own header. What
// came before a bad one is good.
func TLVs(pdu []byte, yield func(TLV)) error {
	if len(pdu) < tailAt {
		return ShortLACPDU
	}
	for b := pdu[tailAt:]; len(b) >= 2 && b[0] != TLVTerminator; {
		n := int(b[1])
		if n < 2 || n > len(b) {
			return BadTLV
		}
		if yield != nil {
			yield(TLV{Type: b[0], Value: b[2:n]})
		}
		b = b[n:]
	}
	return nil
}

// TerminatorLength returns the length byte of the terminator where the PDU has
// nothing else behind the collector's TLV. It should be 0.
func TerminatorLength(pdu []byte) (length uint8, plain bool) {
	if len(pdu) < tailAt+2 || pdu[tailAt] != TLVTerminator {
		return 0, false
	}
	return pdu[tailAt+1], true
}
