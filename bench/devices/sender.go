package main

import (
	"fmt"
	"net"
	"unsafe"

	"golang.org/x/sys/unix"
)

const batch = 64

// sender sends one frame again and again by sendmmsg on a packet socket.
type sender struct {
	fd   int
	msgs [batch]mmsghdr
	iov  unix.Iovec
}

// mmsghdr is struct mmsghdr of sendmmsg(2) on 64-bit machines.
type mmsghdr struct {
	hdr unix.Msghdr
	_   [8]byte // msg_len, which nothing here reads, and padding
}

func newSender(device string, frame []byte) (*sender, error) {
	dev, err := net.InterfaceByName(device)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", device, err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: dev.Index}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("bind to %s: %w", device, err)
	}
	s := &sender{fd: fd, iov: unix.Iovec{Base: &frame[0], Len: uint64(len(frame))}}
	for i := range s.msgs {
		s.msgs[i].hdr.Iov, s.msgs[i].hdr.Iovlen = &s.iov, 1
	}
	return s, nil
}

func (s *sender) send(frames int) error {
	for frames > 0 {
		n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.msgs)),
			uintptr(min(batch, frames)), 0, 0, 0)
		if errno == unix.ENOBUFS {
			continue // the device's queue is full; what was refused is sent again
		}
		if errno != 0 {
			return fmt.Errorf("sendmmsg: %w", errno)
		}
		frames -= int(n)
	}
	return nil
}
