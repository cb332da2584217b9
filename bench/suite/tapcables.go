package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// newTapCables makes tap devices, which this process holds. Their carrier behaves as on
// real devices: the kernel holds back all but the first event of a burst.
func newTapCables() (cables, error) {
	c := &switchCables{delivers: true}
	var err error
	if c.nearHost, err = newHost(); err != nil {
		return nil, err
	}
	c.carrier = func(port int, on bool) error { return tapCarrier(c.files[port], on) }
	for _, name := range portNames {
		if err := c.addTap(name); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

func (c *switchCables) addTap(name string) error {
	return c.nearHost.Do(func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return fmt.Errorf("open /dev/net/tun: %w", err)
		}
		req, err := unix.NewIfreq(name)
		if err == nil {
			req.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
			err = unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("tap %s: %w", name, err), unix.Close(fd))
		}
		// Only now: a descriptor without a device cannot be waited for.
		c.files = append(c.files, os.NewFile(uintptr(fd), name))
		return c.nearHost.up(name)
	})
}

func tapCarrier(f *os.File, on bool) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	value := 0
	if on {
		value = 1
	}
	var inner error
	err = conn.Control(func(fd uintptr) { inner = unix.IoctlSetPointerInt(int(fd), unix.TUNSETCARRIER, value) })
	return errors.Join(err, inner)
}
