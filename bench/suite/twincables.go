package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// newTwinCables makes veth pairs whose ends have the same number in their namespaces. The
// kernel takes such an end for a device without a peer and holds its events back. No
// bridge is behind them: it would wait for the held events of its own ports.
func newTwinCables() (cables, error) {
	c := &switchCables{}
	var err error
	if c.nearHost, err = newHost(); err != nil {
		return nil, err
	}
	far, err := newHost()
	if err != nil {
		c.close()
		return nil, err
	}
	c.last = far.close
	c.carrier = func(port int, on bool) error {
		if on {
			return far.up(portNames[port])
		}
		return far.down(portNames[port])
	}
	for _, name := range portNames {
		if err := c.addTwin(far, name); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

func (c *switchCables) addTwin(far *host, name string) error {
	if err := cable(c.nearHost, far, name); err != nil {
		return err
	}
	n, err := c.nearHost.index(name)
	if err != nil {
		return err
	}
	f, err := far.index(name)
	if err != nil {
		return err
	}
	if n != f {
		return fmt.Errorf("the ends of %s have the numbers %d and %d, not the same", name, n, f)
	}
	return far.Do(func() error {
		file, err := openEnd(name, f)
		if err == nil {
			c.files = append(c.files, file)
		}
		return err
	})
}

// openEnd opens an interface like a tap: frames that arrive there can be read, and what
// is written leaves past its queue.
func openEnd(name string, ifindex int) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	var protocol [2]byte
	binary.BigEndian.PutUint16(protocol[:], unix.ETH_P_ALL)
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1),
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20),
		unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: ifindex, Protocol: binary.NativeEndian.Uint16(protocol[:])}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("packet socket on %s: %w", name, err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), name), nil
}
