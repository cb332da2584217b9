package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// tap is a port whose other end is this program. Its carrier goes and comes as that of a
// real device does: the kernel holds back all but the first event of a burst.
type tap struct{ fd int }

// newTap makes a tap device in a host, up and without carrier.
func newTap(h *host, name string) (t *tap, err error) {
	h.note("ip tuntap add", name, "mode tap # held by this program, which sets its carrier by TUNSETCARRIER")
	t = &tap{}
	err = h.Do(func() error {
		if t.fd, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0); err != nil {
			return err
		}
		req, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		req.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		return unix.IoctlIfreq(t.fd, unix.TUNSETIFF, req)
	})
	if err != nil {
		return nil, fmt.Errorf("tap %s in %s: %w", name, h.name, err)
	}
	if err := t.carrier(false); err != nil {
		return nil, err
	}
	return t, h.ip("link set " + name + " up")
}

func (t *tap) carrier(on bool) error {
	value := 0
	if on {
		value = 1
	}
	if err := unix.IoctlSetPointerInt(t.fd, unix.TUNSETCARRIER, value); err != nil {
		return fmt.Errorf("carrier of a tap: %w", err)
	}
	return nil
}

// read returns the next frame that the port sent, nil where there is none.
func (t *tap) read(b []byte) []byte {
	n, err := unix.Read(t.fd, b)
	if err != nil || n <= 0 {
		return nil
	}
	return b[:n]
}

func (t *tap) write(b []byte) {
	_, _ = unix.Write(t.fd, b) // a port without carrier takes nothing
}

func (t *tap) close() { _ = unix.Close(t.fd) }
