package daemon

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"
)

// packetFrames sends the daemon's own frames by one packet socket, past tc filters. It
// receives nothing.
type packetFrames struct{ fd int }

func openFrames() (*packetFrames, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open packet socket: %w", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("make packet socket bypass tc: %w", err)
	}
	return &packetFrames{fd}, nil
}

// Send implements engine.Frames.
func (f *packetFrames) Send(_ context.Context, ifindex int, frame []byte) error {
	if err := unix.Sendto(f.fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: ifindex}); err != nil {
		return fmt.Errorf("send on interface %d: %w", ifindex, err)
	}
	return nil
}

func (f *packetFrames) close() error { return unix.Close(f.fd) }
