package user

import (
	"encoding/binary"
	"hash/maphash"

	"golang.org/x/sys/unix"
)

// noted is how much of a frame tells it from others.
const noted = 256

// tagNotes remember frames that left the aggregate's device with a VLAN tag in them, as
// a packet socket on the outer end saw them. The kernel hands a frame to that socket
// before it crosses the veth pair, so a note is there when the frame arrives.
type tagNotes struct {
	tap  *packetSocket // nil where the outer end is out of reach
	seed maphash.Seed
	// waiting counts notes by what they say, and order is their age: a note whose frame
	// never arrives is forgotten.
	waiting map[note]int
	order   []note
}

// note identifies a frame.
type note struct {
	length int
	sum    uint64
}

// maxNotes is more than there can be frames on their way over the veth pair: the
// kernel's queue holds 1000 for each CPU by default, and the ring fewer.
const maxNotes = 4096

func newTagNotes() *tagNotes {
	return &tagNotes{seed: maphash.MakeSeed(), waiting: map[note]int{}}
}

// openTap makes the socket on the outer end.
func openTap(ifindex int) (*packetSocket, error) {
	return openPacket(ifindex, headShape(), nil, tapFilter())
}

// tapFilter accepts the first bytes of frames that the interface sends, with a VLAN tag
// in the frame and none beside it.
func tapFilter() []unix.SockFilter {
	const (
		ancillary  = 0xfffff000 // SKF_AD_OFF of linux/filter.h
		packetType = ancillary + 4
		tagPresent = ancillary + 48
	)
	return []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: packetType},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.PACKET_OUTGOING, Jt: 0, Jf: 6},
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: tagPresent},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 0, Jt: 0, Jf: 4},
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: macsLen},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.ETH_P_8021Q, Jt: 1, Jf: 0},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.ETH_P_8021AD, Jt: 0, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: noted},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
}

// read takes in what the tap has seen.
func (t *tagNotes) read() {
	if t.tap == nil {
		return
	}
	for s := t.tap.ring.peek(0); s != nil; s = t.tap.ring.peek(0) {
		t.remember(t.note(s.frame(), int(s.u32(offLen))))
		t.tap.ring.release(1)
	}
}

func (t *tagNotes) note(head []byte, length int) note {
	return note{length: length, sum: maphash.Bytes(t.seed, head)}
}

func (t *tagNotes) remember(n note) {
	t.waiting[n]++
	t.order = append(t.order, n)
	if len(t.order) > maxNotes {
		t.forget(t.order[0])
		t.order = t.order[1:]
	}
}

func (t *tagNotes) forget(n note) bool {
	left, ok := t.waiting[n]
	switch {
	case !ok:
	case left == 1:
		delete(t.waiting, n)
	default:
		t.waiting[n] = left - 1
	}
	return ok
}

// take reports whether a frame left with the tag in it that is now beside it, and
// forgets the note.
func (t *tagNotes) take(frame []byte, tpid, tci uint16) bool {
	if len(t.waiting) == 0 || len(frame) < macsLen {
		return false
	}
	var head [noted]byte
	n := copy(head[:], frame[:macsLen])
	binary.BigEndian.PutUint16(head[n:], tpid)
	binary.BigEndian.PutUint16(head[n+2:], tci)
	n += tagLen
	n += copy(head[n:], frame[macsLen:])
	return t.forget(t.note(head[:n], len(frame)+tagLen))
}
