package main

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// batch is how many frames one system call sends.
	batch = 64
	// frameBytes is the length of a frame, without FCS.
	frameBytes = 64
)

// mmsghdr is struct mmsghdr of sendmmsg(2), which x/sys does not have.
type mmsghdr struct {
	hdr unix.Msghdr
	_   [8]byte // msg_len, which nothing here reads, and padding
}

// sender sends a batch of frames again and again out of one interface.
type sender struct {
	fd     int
	frames [batch][]byte
	msgs   [batch]mmsghdr
	iovs   [batch]unix.Iovec
}

// newSender opens a packet socket on an interface of the host; it receives nothing.
func newSender(h *host, name string, to []byte) (*sender, error) {
	l, err := h.link(name)
	if err != nil {
		return nil, err
	}
	s := &sender{}
	err = h.Do(func() (err error) {
		s.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err == nil {
		err = unix.Bind(s.fd, &unix.SockaddrLinklayer{Ifindex: l.Attrs().Index})
	}
	if err != nil {
		return nil, fmt.Errorf("packet socket on %s in %s: %w", name, h.name, err)
	}
	for i := range s.msgs {
		s.frames[i] = smallFrame(to, l.Attrs().HardwareAddr, uint16(10000+i))
		s.iovs[i].Base = &s.frames[i][0]
		s.iovs[i].SetLen(frameBytes)
		s.msgs[i].hdr.Iov = &s.iovs[i]
		s.msgs[i].hdr.SetIovlen(1)
	}
	return s, nil
}

func (s *sender) close() { _ = unix.Close(s.fd) }

// send sends so many batches. The runtime is not told of the calls, so that it does not
// wake another thread beside them.
func (s *sender) send(batches int) error {
	for range batches {
		for sent := 0; sent < batch; {
			n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.msgs[sent])), uintptr(batch-sent), 0, 0, 0)
			if errno != 0 {
				return fmt.Errorf("sendmmsg: %w", errno)
			}
			sent += int(n)
		}
	}
	runtime.KeepAlive(s)
	return nil
}

// smallFrame is a datagram of UDP over IPv4. Flows differ in the source port.
func smallFrame(to, from []byte, flow uint16) []byte {
	f := make([]byte, frameBytes)
	copy(f, to)
	copy(f[6:], from)
	binary.BigEndian.PutUint16(f[12:], unix.ETH_P_IP)
	ip := f[14:]
	ip[0], ip[8], ip[9] = 0x45, 64, unix.IPPROTO_UDP
	binary.BigEndian.PutUint16(ip[2:], frameBytes-14)
	copy(ip[12:], []byte{192, 0, 2, 1})
	copy(ip[16:], []byte{192, 0, 2, 2})
	binary.BigEndian.PutUint16(ip[20:], flow)
	binary.BigEndian.PutUint16(ip[22:], 9)
	binary.BigEndian.PutUint16(ip[24:], frameBytes-34)
	return f
}
