package user

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchLen is how many frames a goroutine takes from a ring at a time.
const batchLen = 64

// mmsghdr is struct mmsghdr of sendmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	_   uint32 // bytes sent, which a packet socket sends whole or not
}

// batch is a list of packets for one socket. The packets stay where they are, in the
// memory of a ring.
type batch struct {
	msgs  [batchLen]mmsghdr
	iovs  [batchLen]unix.Iovec
	marks [batchLen]mark
	n     int
}

// mark is what is to be counted when a packet has left.
type mark struct {
	way
	bytes uint64
}

func (b *batch) add(packet []byte, m mark) {
	i := b.n
	b.iovs[i].Base = &packet[0]
	b.iovs[i].SetLen(len(packet))
	b.msgs[i].hdr.Iov = &b.iovs[i]
	b.msgs[i].hdr.SetIovlen(1)
	b.marks[i] = m
	b.n++
}

// send sends packets from index from on, and returns how many left before the first
// that was refused, and why that one was. An error that the device left on the socket
// while it was down is not the packet's: it is passed over once.
func (b *batch) send(s *socket, from int) (int, unix.Errno) {
	sent, err := b.sendOnce(s, from)
	if err == unix.ENETDOWN && sent == 0 {
		sent, err = b.sendOnce(s, from)
	}
	return sent, err
}

func (b *batch) sendOnce(s *socket, from int) (int, unix.Errno) {
	for {
		n, _, err := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(s.sender()), uintptr(unsafe.Pointer(&b.msgs[from])),
			uintptr(b.n-from), unix.MSG_DONTWAIT, 0, 0)
		switch {
		case err == unix.EINTR:
		case err != 0:
			return 0, err
		default:
			return int(n), 0
		}
	}
}

// sendOne sends the one packet at index i by another socket than its batch's.
func (b *batch) sendOne(s *socket, i int) bool {
	n := b.n
	b.n = i + 1
	sent, _ := b.send(s, i) // a refusal is counted by the caller
	b.n = n
	return sent == 1
}
