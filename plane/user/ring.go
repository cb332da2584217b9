package user

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Offsets in a slot of a TPACKET_V2 ring (linux/if_packet.h): struct tpacket2_hdr,
// then struct sockaddr_ll.
const (
	offStatus  = 0
	offLen     = 4
	offSnapLen = 8
	offMAC     = 12
	offSeconds = 16
	offNanos   = 20
	offTCI     = 24
	offTPID    = 26
	offPktType = unix.SizeofTpacket2Hdr + 10
)

// Bits of tp_status that the kernel sets.
const (
	statusUser     = 1 << 0
	statusVLAN     = 1 << 4
	statusVLANTPID = 1 << 6
)

// ringShape is the geometry of a ring.
type ringShape struct {
	frame  int // bytes of a slot, a multiple of 16
	block  int // slots of a block, which is a multiple of the page size
	blocks int
}

// wideShape holds n frames or some more of any length that the kernel can hand over:
// 64 KiB of IP, headers, tag and bookkeeping. 15 such slots just fit into 1 MiB.
func wideShape(n int) ringShape {
	const perBlock = 15
	return ringShape{frame: 17 * 4096, block: perBlock, blocks: (n + perBlock - 1) / perBlock}
}

// narrowShape holds n frames or some more of up to shortFrame bytes.
func narrowShape(n int) ringShape {
	const perBlock = 128
	return ringShape{frame: 2048, block: perBlock, blocks: (n + perBlock - 1) / perBlock}
}

// shortFrame is the longest frame that is put into a narrow ring. A slot holds some
// bookkeeping before the frame.
const shortFrame = 1900

// headShape holds 1024 frames of which only the first bytes are wanted.
func headShape() ringShape { return ringShape{frame: 512, block: 128, blocks: 8} }

// ring is a receive ring of one packet socket, mapped into memory. One goroutine
// reads it.
type ring struct {
	mem    []byte
	shape  ringShape
	slots  int
	oldest int // the next slot that the kernel fills, in the reader's view
}

// newRing makes the ring of a socket whose TPACKET version is set already.
func newRing(fd int, shape ringShape) (*ring, error) {
	slots := shape.block * shape.blocks
	req := unix.TpacketReq{
		Block_size: uint32(shape.frame * shape.block), Block_nr: uint32(shape.blocks),
		Frame_size: uint32(shape.frame), Frame_nr: uint32(slots),
	}
	if err := unix.SetsockoptTpacketReq(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return nil, fmt.Errorf("make a ring of %d frames: %w", slots, err)
	}
	mem, err := unix.Mmap(fd, 0, shape.frame*slots, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map a ring of %d frames: %w", slots, err)
	}
	return &ring{mem: mem, shape: shape, slots: slots}, nil
}

func (r *ring) close() error { return unix.Munmap(r.mem) }

// slot is one frame of a ring, valid until it is released.
type slot []byte

// peek returns the frame i places behind the oldest, or nil where the kernel has not
// filled that slot.
func (r *ring) peek(i int) slot {
	if i >= r.slots {
		return nil
	}
	n := r.oldest + i
	if n >= r.slots {
		n -= r.slots
	}
	s := slot(r.mem[n*r.shape.frame : (n+1)*r.shape.frame])
	if atomic.LoadUint32(s.status())&statusUser == 0 {
		return nil
	}
	return s
}

// release gives the n oldest slots back to the kernel.
func (r *ring) release(n int) {
	for range n {
		s := slot(r.mem[r.oldest*r.shape.frame:])
		atomic.StoreUint32(s.status(), 0)
		if r.oldest++; r.oldest == r.slots {
			r.oldest = 0
		}
	}
}

func (s slot) status() *uint32 { return (*uint32)(unsafe.Pointer(&s[offStatus])) }

func (s slot) u32(off int) uint32 { return binary.NativeEndian.Uint32(s[off:]) }
func (s slot) u16(off int) uint16 { return binary.NativeEndian.Uint16(s[off:]) }

// before reports whether the kernel filled s before other.
func (s slot) before(other slot) bool {
	if a, b := s.u32(offSeconds), other.u32(offSeconds); a != b {
		return a < b
	}
	return s.u32(offNanos) < other.u32(offNanos)
}

// whole reports whether the frame is in the slot uncut.
func (s slot) whole() bool { return s.u32(offLen) == s.u32(offSnapLen) }

// frame is the frame from its destination address on.
func (s slot) frame() []byte {
	start := int(s.u16(offMAC))
	return s[start : start+int(s.u32(offSnapLen))]
}

// packet is the frame with its virtio header before it.
func (s slot) packet() []byte {
	start := int(s.u16(offMAC))
	return s[start-vnetLen : start+int(s.u32(offSnapLen))]
}

// tag returns the VLAN tag beside the frame.
func (s slot) tag() (tpid, tci uint16, ok bool) {
	status := s.u32(offStatus)
	if status&statusVLAN == 0 {
		return 0, 0, false
	}
	tpid = unix.ETH_P_8021Q
	if status&statusVLANTPID != 0 {
		tpid = s.u16(offTPID)
	}
	return tpid, s.u16(offTCI), true
}

// outgoing: the interface sent the frame, it did not receive it.
func (s slot) outgoing() bool { return s[offPktType] == unix.PACKET_OUTGOING }
