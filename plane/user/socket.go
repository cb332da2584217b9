package user

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// socket is a packet socket on one interface with its receive ring. What it sends skips
// tc and the interface's queue, and is refused at once where there is no carrier.
type socket struct {
	fd      int
	ifindex int
	ring    *ring
}

// openSocket makes a socket in the network namespace of the calling thread.
func openSocket(ifindex, frames int) (*socket, error) {
	options := map[int]int{
		unix.PACKET_VNET_HDR:        1,
		unix.PACKET_QDISC_BYPASS:    1,
		unix.PACKET_IGNORE_OUTGOING: 1,
	}
	return open(ifindex, wideShape(frames), options, nil)
}

func open(ifindex int, shape ringShape, options map[int]int, filter []unix.SockFilter) (s *socket, err error) {
	// Protocol 0 receives nothing until bind names the interface.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	s = &socket{fd: fd, ifindex: ifindex}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("packet socket on interface %d: %w", ifindex, err), s.close())
		}
	}()
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V2); err != nil {
		return s, err
	}
	for option, value := range options {
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, option, value); err != nil && !tolerable(option) {
			return s, fmt.Errorf("option %d: %w", option, err)
		}
	}
	growSendBuffer(fd)
	if filter != nil {
		prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
		if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog); err != nil {
			return s, fmt.Errorf("filter: %w", err)
		}
	}
	if s.ring, err = newRing(fd, shape); err != nil {
		return s, err
	}
	return s, unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: ifindex})
}

// tolerable: PACKET_IGNORE_OUTGOING is from 4.20; readers skip such frames anyway.
func tolerable(option int) bool { return option == unix.PACKET_IGNORE_OUTGOING }

// growSendBuffer asks for room for a batch of 64 KiB segments; without privilege it
// stays at the system's maximum, and bursts beyond it are counted as refused.
func growSendBuffer(fd int) {
	const size = 8 << 20
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, size) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, size) // capped, never refused
	}
}

func networkOrder(v uint16) uint16 { return v<<8 | v>>8 }

func (s *socket) close() error {
	var errs []error
	if s.ring != nil {
		errs = append(errs, s.ring.close())
	}
	return errors.Join(append(errs, unix.Close(s.fd))...)
}

// clearError takes the error that a device going down leaves on the socket; while it
// is there, poll returns at once.
func (s *socket) clearError() {
	_, _ = unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR) // reading it is the purpose
}

// lost is the number of frames that found the ring full since the last call.
func (s *socket) lost() uint64 {
	st, err := unix.GetsockoptTpacketStats(s.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0
	}
	return uint64(st.Drops)
}
