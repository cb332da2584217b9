package team

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// eventBuffer is the size of an event socket's buffer in bytes, libteam's.
const eventBuffer = 192 << 10

// events is the kernel's stream.
type events struct {
	kernel uint16 // the family
	file   *os.File
	buffer []byte
	ready  []Change
}

// Subscribe implements [Driver].
func (k *Kernel) Subscribe() (Subscription, error) {
	s, err := k.subscribe(eventBuffer)
	return s, failed("subscribe to events", "the team driver", err)
}

func (k *Kernel) subscribe(buffer int) (*events, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_GENERIC)
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer),
		unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}),
		unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, int(k.group)))
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return &events{kernel: k.family, file: os.NewFile(uintptr(fd), "team events"), buffer: make([]byte, 64<<10)}, nil
}

// Close implements [Subscription].
func (e *events) Close() error { return e.file.Close() }

// Next implements [Subscription].
func (e *events) Next() (Change, error) {
	for len(e.ready) == 0 {
		n, err := e.file.Read(e.buffer)
		switch {
		case errors.Is(err, os.ErrClosed):
			return Change{}, ErrClosed
		case errors.Is(err, unix.ENOBUFS):
			return Change{}, ErrLost
		case err != nil:
			return Change{}, fmt.Errorf("read team events: %w", err)
		}
		if err := e.take(e.buffer[:n]); err != nil {
			// What cannot be read is as good as lost: the reader looks for itself.
			return Change{}, fmt.Errorf("%w: %w", ErrLost, err)
		}
	}
	c := e.ready[0]
	e.ready = e.ready[1:]
	return c, nil
}

// take splits a datagram into messages.
func (e *events) take(b []byte) error {
	for len(b) >= unix.SizeofNlMsghdr {
		n := int(binary.NativeEndian.Uint32(b))
		if n < unix.SizeofNlMsghdr || n > len(b) {
			return errShort
		}
		if binary.NativeEndian.Uint16(b[4:]) == e.kernel {
			m, err := parseMessage(b[unix.SizeofNlMsghdr:n])
			if err != nil {
				return err
			}
			e.ready = append(e.ready, Change{Device: m.ifindex, Options: m.options, Ports: m.ports})
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return nil
}
