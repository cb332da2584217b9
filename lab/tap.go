package lab

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/ethtool"
)

// tap is a host's end of a cable whose speed can be set, which a veth end refuses. The
// relay of the cable reads and writes its frames.
type tap struct{ fd int }

// firstSpeed is what a veth end reports, in Mb/s.
const firstSpeed = 10000

// newTap makes a tap device in the namespace of the calling thread.
func newTap(name string) (*tap, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, &agg.Problem{
			Code: "no-tap", Object: name,
			Rule:   fmt.Sprintf("the fault speed needs a tap device, and /dev/net/tun cannot be opened (%v)", err),
			Remedy: "run the lab as root on a kernel with tun, or leave the fault out",
		}
	}
	t := &tap{fd}
	req, err := unix.NewIfreq(name)
	if err == nil {
		req.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
	}
	if err == nil {
		err = setSpeed(name, firstSpeed)
	}
	if err != nil {
		t.close()
		return nil, fmt.Errorf("make tap %s: %w", name, err)
	}
	return t, nil
}

func (t *tap) setCarrier(on bool) error {
	value := 0
	if on {
		value = 1
	}
	if err := unix.IoctlSetPointerInt(t.fd, unix.TUNSETCARRIER, value); err != nil {
		return fmt.Errorf("set the carrier of a tap: %w", err)
	}
	return nil
}

func (t *tap) close() { _ = unix.Close(t.fd) }

// setSpeed sets what ethtool tells of a device of the calling thread's namespace.
func setSpeed(name string, megabits int) error {
	s, err := ethtool.Open()
	if err != nil {
		return err
	}
	defer s.Close()
	return s.SetSpeed(name, uint32(megabits))
}

// openTaps makes the ends at hosts.
func (c *cable) openTaps() error {
	for i, e := range c.ends {
		if e.sw != nil {
			continue
		}
		err := e.space.do(func() (err error) {
			c.taps[i], err = newTap(e.device)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// closeTaps lets the ends at hosts go.
func (c *cable) closeTaps() {
	for i, t := range c.taps {
		if t != nil {
			t.close()
			c.taps[i] = nil
		}
	}
}

// setSpeed gives the carrier back with another speed at the named host, or at both ends
// where node is empty.
func (c *cable) setSpeed(node string, megabits int) error {
	if err := c.setCarrier(false); err != nil {
		return err
	}
	for i, e := range c.ends {
		if c.taps[i] == nil || node != "" && e.node != node {
			continue
		}
		if err := e.space.do(func() error { return setSpeed(e.device, megabits) }); err != nil {
			return err
		}
	}
	return c.setCarrier(true)
}
