package afpacket

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"
)

// Sender sends frames in one network namespace. It is safe for concurrent use until
// Close.
type Sender struct{ fd int }

// NewSender opens a sender in the calling thread's network namespace. It needs
// CAP_NET_RAW there. The socket receives nothing.
func NewSender() (*Sender, error) {
	// Protocol 0: no packet is ever delivered to the socket.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1); err != nil {
		_ = unix.Close(fd) // the first error is the one to tell
		return nil, fmt.Errorf("packet socket past the queueing discipline: %w", err)
	}
	return &Sender{fd: fd}, nil
}

// Send transmits one frame, from the destination address on and without FCS, out of the
// interface with the given ifindex. It does not wait: a device that cannot take the
// frame now is an error, ENOBUFS or EAGAIN, and an absent one or one that is down is
// ENXIO, ENODEV or ENETDOWN.
func (s *Sender) Send(ctx context.Context, ifindex int, frame []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := unix.Sendto(s.fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: ifindex}); err != nil {
		return fmt.Errorf("send a frame of %d bytes by interface %d: %w", len(frame), ifindex, err)
	}
	return nil
}

// Close lets go of the socket.
func (s *Sender) Close() error { return unix.Close(s.fd) }
