package nstest

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Tap is a tap device with its user space end. Unlike veth, its carrier changes without
// urgent link events, as on real devices.
type Tap struct {
	n    *NS
	Name string
	file *os.File
}

// Tap makes a tap device, up and with carrier.
func (n *NS) Tap(name string) *Tap {
	n.t.Helper()
	var fd int
	err := n.Run(func() (err error) { // the device belongs to the namespace of the opener
		fd, err = openTap(name)
		return err
	})
	if err != nil {
		n.t.Fatalf("tap %s: %v", name, err)
	}
	tap := &Tap{n: n, Name: name, file: os.NewFile(uintptr(fd), "tap "+name)}
	n.t.Cleanup(tap.Close)
	n.SetUp(name)
	return tap
}

// openTap opens the device in the namespace of the calling thread.
func openTap(name string) (int, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return 0, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	req, err := unix.NewIfreq(name)
	if err == nil {
		req.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
	}
	if err != nil {
		_ = unix.Close(fd) // the first error is the one to tell
		return 0, err
	}
	return fd, nil
}

// SetCarrier puts the cable in or pulls it out.
func (t *Tap) SetCarrier(up bool) {
	t.n.t.Helper()
	value := 0
	if up {
		value = 1
	}
	conn, err := t.file.SyscallConn()
	if err == nil {
		var inner error
		err = conn.Control(func(fd uintptr) {
			inner = unix.IoctlSetPointerInt(int(fd), unix.TUNSETCARRIER, value)
		})
		err = errors.Join(err, inner)
	}
	if err != nil {
		t.n.t.Fatalf("carrier of tap %s: %v", t.Name, err)
	}
}

// Read reads one frame that left by the device.
func (t *Tap) Read(b []byte) (int, error) { return t.file.Read(b) }

// Write makes the device receive one frame.
func (t *Tap) Write(frame []byte) (int, error) { return t.file.Write(frame) }

// Close removes the device and ends readers.
func (t *Tap) Close() { _ = t.file.Close() } // a second Close is harmless
