package wire

import "encoding/binary"

// Lengths of Ethernet in bytes, without FCS.
const (
	EthernetLen = 14
	VLANLen     = 4
	// MinFrame is what shorter frames are padded to on a cable.
	MinFrame = 60
	// MaxTags is how many VLAN tags ParseEthernet follows.
	MaxTags = 4
)

// EtherType is the type field of Ethernet (IEEE 802 numbers).
type EtherType uint16

// The types that Yoke knows.
const (
	TypeIPv4 EtherType = 0x0800
	TypeARP  EtherType = 0x0806
	TypeVLAN EtherType = 0x8100 // 802.1Q customer tag
	TypeIPv6 EtherType = 0x86DD
	TypeSlow EtherType = 0x8809 // slow protocols: LACP, Marker
	TypeEAP  EtherType = 0x888E // 802.1X
	TypeQinQ EtherType = 0x88A8 // 802.1ad service tag
	TypeLLDP EtherType = 0x88CC
	TypePTP  EtherType = 0x88F7
)

// IsTag reports whether the type announces a VLAN tag.
func (t EtherType) IsTag() bool { return t == TypeVLAN || t == TypeQinQ }

// Broadcast is the address of all stations.
var Broadcast = [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff} //nolint:gochecknoglobals // a constant

// VLAN is one tag: its type and its 16 bits of priority, DEI and id.
type VLAN struct {
	Type EtherType
	TCI  uint16
}

// ID returns the VLAN id, 0 to 4095.
func (v VLAN) ID() uint16 { return v.TCI & 0xfff }

// Priority returns the priority code point, 0 to 7.
func (v VLAN) Priority() uint8 { return uint8(v.TCI >> 13) }

// Tags are the VLAN tags of a frame, outermost first. It is a value without pointers,
// so that parsing does not allocate.
type Tags struct {
	list  [MaxTags]VLAN
	count uint8
}

// MakeTags returns a stack of tags, outermost first, or TooManyTags.
func MakeTags(tags ...VLAN) (Tags, error) {
	var t Tags
	if len(tags) > MaxTags {
		return t, TooManyTags
	}
	t.count = uint8(copy(t.list[:], tags))
	return t, nil
}

// Len returns the number of tags.
func (t Tags) Len() int { return int(t.count) }

// At returns tag i, 0 being the outermost.
func (t Tags) At(i int) VLAN { return t.list[:t.count][i] }

// Ethernet is a header with its VLAN tags.
type Ethernet struct {
	Dst, Src [6]byte
	Tags     Tags
	// Type is that of the payload, behind all tags. Below 0x0600 it is a length (802.3).
	Type EtherType
}

// ParseEthernet reads a header and its tags, and returns what follows.
func ParseEthernet(b []byte) (h Ethernet, payload []byte, err error) {
	if len(b) < EthernetLen {
		return h, nil, ShortEthernet
	}
	copy(h.Dst[:], b)
	copy(h.Src[:], b[6:])
	h.Type = EtherType(binary.BigEndian.Uint16(b[12:]))
	b = b[EthernetLen:]
	for h.Type.IsTag() {
		if len(b) < VLANLen {
			return h, nil, ShortEthernet
		}
		if h.Tags.count == MaxTags {
			return h, nil, TooManyTags
		}
		h.Tags.list[h.Tags.count] = VLAN{Type: h.Type, TCI: binary.BigEndian.Uint16(b)}
		h.Tags.count++
		h.Type = EtherType(binary.BigEndian.Uint16(b[2:]))
		b = b[VLANLen:]
	}
	return h, b, nil
}

// AppendTo appends the header and its tags to b.
func (h Ethernet) AppendTo(b []byte) []byte {
	b = append(b, h.Dst[:]...)
	b = append(b, h.Src[:]...)
	for _, v := range h.Tags.list[:h.Tags.count] {
		b = binary.BigEndian.AppendUint16(b, uint16(v.Type))
		b = binary.BigEndian.AppendUint16(b, v.TCI)
	}
	return binary.BigEndian.AppendUint16(b, uint16(h.Type))
}
