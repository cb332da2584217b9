package main

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ends are the far ends of near's two ports: what leaves by a port is read there, and
// there its carrier goes and comes.
type ends interface {
	read(port int, b []byte) []byte
	// pull takes the carrier of a port; it may return only when others have waited for it.
	pull(port int) error
	plug(port int) error
	close()
}

type tapEnds struct {
	taps [2]*tap
	dark [2]bool
}

func newTapEnds(w *world) (ends, error) {
	e := &tapEnds{}
	for i, name := range ports {
		t, err := newTap(w.near, name)
		if err != nil {
			return nil, err
		}
		e.taps[i] = t
	}
	return e, errors.Join(e.plug(0), e.plug(1))
}

// read gives away what was sent to a port without carrier: a cable would have lost it.
func (e *tapEnds) read(port int, b []byte) []byte {
	for frame := e.taps[port].read(b); frame != nil; frame = e.taps[port].read(b) {
		if !e.dark[port] {
			return frame
		}
	}
	return nil
}

func (e *tapEnds) pull(port int) error { e.dark[port] = true; return e.taps[port].carrier(false) }
func (e *tapEnds) plug(port int) error { e.dark[port] = false; return e.taps[port].carrier(true) }

func (e *tapEnds) close() {
	for _, t := range e.taps {
		t.close()
	}
}

// vethEnds are packet sockets on the far ends of veth pairs.
type vethEnds struct {
	far *host
	fds [2]int
}

func newVethEnds(w *world) (ends, error) {
	if err := w.cables(); err != nil {
		return nil, err
	}
	e := &vethEnds{far: w.far}
	for i, name := range ports {
		l, err := w.far.link(name)
		if err != nil {
			return nil, err
		}
		err = w.far.Do(func() (err error) {
			e.fds[i], err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
			if err == nil {
				err = unix.Bind(e.fds[i], &unix.SockaddrLinklayer{Protocol: swapped(unix.ETH_P_ALL), Ifindex: l.Attrs().Index})
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("packet socket on %s: %w", name, err)
		}
	}
	return e, nil
}

// swapped is a number in the byte order of the network, on machines of the other one.
func swapped(n uint16) uint16 { return n<<8 | n>>8 }

func (e *vethEnds) read(port int, b []byte) []byte {
	n, _, err := unix.Recvfrom(e.fds[port], b, 0)
	if err != nil || n <= 0 { // also that the interface went down
		return nil
	}
	return b[:n]
}

func (e *vethEnds) pull(port int) error { return e.set(port, e.far.nl.LinkSetDown) }
func (e *vethEnds) plug(port int) error { return e.set(port, e.far.nl.LinkSetUp) }

func (e *vethEnds) close() {
	for _, fd := range e.fds {
		_ = unix.Close(fd)
	}
}

func (e *vethEnds) set(port int, how func(netlink.Link) error) error {
	l, err := e.far.link(ports[port])
	if err != nil {
		return err
	}
	return how(l)
}
