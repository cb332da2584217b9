package policy

import (
	"encoding/binary"

	"github.com/yokelag/yoke/agg"
)

// Shares tells how evenly each hash policy would share the frames it was given among ports
// of equal weight. Its zero value is of no use; see [NewShares].
type Shares struct {
	policies []agg.HashPolicy
	ports    int
	modulo   bool
	table    []agg.Choice
	// Frames and Bytes count what was added.
	Frames, Bytes uint64
	frames, bytes [][]uint64 // by policy and port
	seen          []map[uint32]struct{}
	buf           []byte
}

// Share is what a policy makes of the frames.
type Share struct {
	Policy agg.HashPolicy `json:"policy"`
	// Frames and Bytes are the load of the port with the most of it, in parts of a fair
	// share: 1 is even, and as many as there are ports is all by one.
	Frames float64 `json:"worst_of_frames"`
	Bytes  float64 `json:"worst_of_bytes"`
	// Hashes counts the values that there were: with fewer than ports, ports stay idle.
	Hashes int `json:"hashes"`
}

// maxHashes bounds the values that are told apart.
const maxHashes = 1 << 16

// NewShares begins with no frames. ports is at least 1.
func NewShares(ports int, m agg.HashMap) *Shares {
	s := &Shares{ports: ports, modulo: m == agg.Modulo}
	equal := make([]TablePort, ports)
	for i := range equal {
		equal[i] = TablePort{Name: string(rune('a' + i)), Weight: 1, Usable: true}
	}
	s.table = Table(equal, nil)
	s.policies = []agg.HashPolicy{agg.HashLayer2, agg.HashLayer23, agg.HashLayer34, agg.HashEncap23, agg.HashEncap34, agg.HashVLANSrcMAC}
	for range s.policies {
		s.frames, s.bytes = append(s.frames, make([]uint64, ports)), append(s.bytes, make([]uint64, ports))
		s.seen = append(s.seen, map[uint32]struct{}{})
	}
	return s
}

// Add counts a frame as it is captured, from the destination address on; length is that of
// the whole frame in bytes. Its outer VLAN tag counts as one beside the frame, which it was
// when the aggregate chose a port, unless somebody wrote it into the frame.
func (s *Shares) Add(frame []byte, length int) {
	const macs, tagged = 12, 18
	if len(frame) < macs+2 {
		return
	}
	var tag Tag
	if len(frame) >= tagged && binary.BigEndian.Uint16(frame[macs:]) == 0x8100 {
		tag = Tag{Present: true, TCI: binary.BigEndian.Uint16(frame[macs+2:])}
		s.buf = append(append(s.buf[:0], frame[:macs]...), frame[macs+4:]...)
		frame = s.buf
	}
	s.Frames, s.Bytes = s.Frames+1, s.Bytes+uint64(length)
	for i, p := range s.policies {
		h := Hash(p, frame, tag)
		port := s.table[agg.BucketOf(h)].First
		if s.modulo {
			port = int(h % uint32(s.ports))
		}
		s.frames[i][port]++
		s.bytes[i][port] += uint64(length)
		if len(s.seen[i]) < maxHashes {
			s.seen[i][h] = struct{}{}
		}
	}
}

// Each returns what every policy makes of the frames, in the order of the options table;
// empty where there was no frame.
func (s *Shares) Each() []Share {
	if s.Frames == 0 || s.Bytes == 0 {
		return nil
	}
	worst := func(loads []uint64, all uint64) float64 {
		most := uint64(0)
		for _, n := range loads {
			most = max(most, n)
		}
		return float64(most) * float64(s.ports) / float64(all)
	}
	var out []Share
	for i, p := range s.policies {
		out = append(out, Share{Policy: p, Frames: worst(s.frames[i], s.Frames), Bytes: worst(s.bytes[i], s.Bytes), Hashes: len(s.seen[i])})
	}
	return out
}
