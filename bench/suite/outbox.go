package main

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// outbox sends frames by many interfaces with few calls.
type outbox struct {
	frames []outFrame
	heads  [batch]mmsghdr
	vecs   [batch]unix.Iovec
	names  [batch]unix.RawSockaddrLinklayer
}

type outFrame struct {
	index int
	bytes [128]byte
	n     int
}

// add keeps a copy of a frame for an interface.
func (b *outbox) add(index int, frame []byte) {
	f := outFrame{index: index}
	f.n = copy(f.bytes[:], frame)
	b.frames = append(b.frames, f)
}

// send sends all frames in their order. Interfaces that are full or down lose theirs.
func (b *outbox) send(fd int) error {
	list := b.frames
	b.frames = b.frames[:0]
	for len(list) > 0 {
		n := min(len(list), batch)
		for i := range n {
			f := &list[i]
			b.names[i] = unix.RawSockaddrLinklayer{Family: unix.AF_PACKET, Ifindex: int32(f.index)}
			b.vecs[i].Base = &f.bytes[0]
			b.vecs[i].SetLen(f.n)
			h := &b.heads[i].hdr
			h.Name, h.Namelen = (*byte)(unsafe.Pointer(&b.names[i])), uint32(unsafe.Sizeof(b.names[i]))
			h.Iov = &b.vecs[i]
			h.SetIovlen(1)
		}
		sent, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.heads[0])), uintptr(n), 0, 0, 0)
		switch {
		case errno == 0:
			list = list[sent:]
		case errors.Is(errno, unix.ENETDOWN), errors.Is(errno, unix.ENXIO), errors.Is(errno, unix.ENOBUFS), errors.Is(errno, unix.EAGAIN):
			list = list[1:]
		default:
			return errno
		}
	}
	return nil
}
