package slow

import (
	"encoding/binary"

	"github.com/yokelag/yoke/wire"
)

// The types of Marker TLVs (802.1AX-2014 clause 6.5.3.3).
const (
	MarkerInformation = 1
	MarkerResponse    = 2
)

const markerLen = 16

// The reasons to drop a Marker PDU.
const (
	ShortMarker     wire.Drop = "short-marker"
	BadMarkerLength wire.Drop = "marker-length"
	MarkerUnknown   wire.Drop = "marker-unknown-type"
)

// Marker is a Marker or Marker Response PDU.
type Marker struct {
	Version uint8
	// Type is MarkerInformation or MarkerResponse.
	Type uint8
	// Port, System and Transaction are the requester's, and come back in the response.
	Port        uint16
	System      Addr
	Transaction uint32
	// Pad is reserved, and comes back too.
	Pad uint16
}

// ParseMarker reads the payload of a frame of SubtypeMarker, from the subtype on.
func ParseMarker(b []byte) (m Marker, err error) {
	switch {
	case len(b) < PDULen:
		return m, ShortMarker
	case b[3] != markerLen:
		return m, BadMarkerLength
	case b[2] != MarkerInformation && b[2] != MarkerResponse:
		return m, MarkerUnknown
	}
	m = Marker{
		Version: b[1], Type: b[2],
		Port: binary.BigEndian.Uint16(b[4:]), System: Addr(b[6:12]),
		Transaction: binary.BigEndian.Uint32(b[12:]), Pad: binary.BigEndian.Uint16(b[16:]),
	}
	return m, nil
}

// Put writes the PDU to the PDULen bytes of b.
func (m *Marker) Put(b []byte) {
	b = b[:PDULen]
	clear(b)
	b[0], b[1], b[2], b[3] = byte(SubtypeMarker), m.Version, m.Type, markerLen
	binary.BigEndian.PutUint16(b[4:], m.Port)
	copy(b[6:], m.System[:])
	binary.BigEndian.PutUint32(b[12:], m.Transaction)
	binary.BigEndian.PutUint16(b[16:], m.Pad)
}

// AppendTo appends the PDU.
func (m *Marker) AppendTo(b []byte) []byte {
	var pdu [PDULen]byte
	m.Put(pdu[:])
	return append(b, pdu[:]...)
}

// AppendFrame appends the whole untagged frame.
func (m *Marker) AppendFrame(b []byte, dst, src Addr) []byte {
	return m.AppendTo(header(b, dst, src))
}
