package storm

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

type kind int

const (
	veth kind = iota
	tap       // its carrier changes without an urgent event, and its speed can be set
)

// port is one cable of an aggregate. What is done to it is done under mu.
type port struct {
	*field
	kind      kind
	name, end string

	mu      sync.Mutex
	file    *os.File       // of a tap
	arrived map[uint32]int // of a tap: frames of each check
	reading sync.Mutex     // guards arrived
}

func (p *port) link() (netlink.Link, error) { return p.near.Handle().LinkByName(p.name) }

// create makes the port's interface: another one, with another ifindex and address.
func (p *port) create() error {
	if p.kind == tap {
		return p.createTap()
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = p.name
	pair := &netlink.Veth{LinkAttrs: attrs, PeerName: p.end, PeerNamespace: netlink.NsFd(p.field.far.FD())}
	if err := p.near.Handle().LinkAdd(pair); err != nil {
		return fmt.Errorf("create %s: %w", p.name, err)
	}
	return errors.Join(p.carrier(true), p.admin(true))
}

func (p *port) createTap() error {
	err := p.near.Run(func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return err
		}
		req, err := unix.NewIfreq(p.name)
		if err == nil {
			req.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
			err = unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
		}
		if err != nil {
			return errors.Join(err, unix.Close(fd))
		}
		p.file = os.NewFile(uintptr(fd), "tap "+p.name)
		return nil
	})
	if err != nil {
		return fmt.Errorf("create %s: %w", p.name, err)
	}
	go p.read(p.file)
	return p.admin(true)
}

func (p *port) delete() error {
	if p.kind == tap {
		err := p.file.Close()
		p.file = nil
		return err
	}
	l, err := p.link()
	if err != nil {
		return err
	}
	return p.near.Handle().LinkDel(l)
}

func (p *port) admin(up bool) error {
	l, err := p.link()
	if err != nil {
		return err
	}
	if up {
		return p.near.Handle().LinkSetUp(l)
	}
	return p.near.Handle().LinkSetDown(l)
}

// carrier puts the cable in or pulls it out.
func (p *port) carrier(in bool) error {
	if p.kind == tap {
		return p.tapCarrier(in)
	}
	l, err := p.field.far.Handle().LinkByName(p.end)
	if err != nil {
		return err
	}
	if in {
		return p.field.far.Handle().LinkSetUp(l)
	}
	return p.field.far.Handle().LinkSetDown(l)
}

func (p *port) tapCarrier(in bool) error {
	value := 0
	if in {
		value = 1
	}
	conn, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = conn.Control(func(fd uintptr) { inner = unix.IoctlSetPointerInt(int(fd), unix.TUNSETCARRIER, value) })
	return errors.Join(err, inner)
}

func (p *port) setMAC(last byte) error {
	l, err := p.link()
	if err != nil {
		return err
	}
	return p.near.Handle().LinkSetHardwareAddr(l, net.HardwareAddr{2, 0xbe, 0, 0, 0, last})
}

// channels does what `ethtool -L` does: the driver closes and opens itself.
func (p *port) channels(n uint32) error {
	const rxCount, txCount = 5, 6
	request := [9]uint32{0: unix.ETHTOOL_SCHANNELS, rxCount: n, txCount: n}
	return p.ethtool(unsafe.Pointer(&request))
}

// unknownSpeed is SPEED_UNKNOWN of linux/ethtool.h.
const unknownSpeed = 1<<32 - 1

// speed sets a tap's speed in Mb/s.
func (p *port) speed(mbps uint32) error {
	request := struct {
		cmd, supported, advertising                   uint32
		speed                                         uint16
		duplex, port, phy, transceiver, autoneg, mdio uint8
		maxTx, maxRx                                  uint32
		speedHigh                                     uint16
		mdix, mdixControl                             uint8
		partner                                       uint32
		_                                             [2]uint32
	}{cmd: unix.ETHTOOL_SSET, speed: uint16(mbps), speedHigh: uint16(mbps >> 16), duplex: 1}
	return p.ethtool(unsafe.Pointer(&request))
}

func (p *port) ethtool(request unsafe.Pointer) error {
	req := struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte
	}{data: request}
	copy(req.name[:], p.name)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(p.tool), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&req))); errno != 0 {
		return errno
	}
	return nil
}

// bounce is one thing that happens to a port.
type bounce struct {
	what  int
	pause time.Duration
	dice  uint32
}

func (s *storm) bounce() bounce {
	pause := time.Millisecond + time.Duration(s.random.Int64N(int64(249*time.Millisecond)))
	return bounce{what: s.random.IntN(6), pause: pause, dice: s.random.Uint32()}
}

// suffer makes one bounce happen to the port, from first to last.
func (p *port) suffer(b bounce) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.steps(b)
	if err != nil {
		return fmt.Errorf("bounce %+v of %s: %w", b, p.name, err)
	}
	return nil
}

func (p *port) steps(b bounce) error {
	wait := func() error { time.Sleep(b.pause); return nil }
	switch b.what {
	case 0:
		return inTurn(p.pull, wait, p.plug)
	case 1:
		return inTurn(p.down, wait, p.up)
	case 2:
		if b.dice%3 == 0 { // so fast that nobody need see it absent
			return inTurn(p.delete, p.create)
		}
		return inTurn(p.delete, wait, p.create)
	case 3: // as a driver that forgets its speed while it starts again
		return inTurn(p.pull, p.forget, wait, p.plug, wait, p.pull, func() error { return p.remember(b.dice) }, p.plug)
	case 4: // ethtool -L
		reset := func() error { return p.reset(b.dice) }
		return inTurn(reset, wait, reset)
	default:
		return inTurn(func() error { return p.setMAC(byte(b.dice)) }, p.pull, wait, p.plug)
	}
}

func inTurn(steps ...func() error) error {
	for i, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
	}
	return nil
}

func (p *port) pull() error { return p.carrier(false) }
func (p *port) plug() error { return p.carrier(true) }
func (p *port) down() error { return p.admin(false) }
func (p *port) up() error   { return p.admin(true) }

func (p *port) forget() error {
	if p.kind != tap {
		return nil
	}
	return p.speed(unknownSpeed)
}

func (p *port) remember(dice uint32) error {
	if p.kind != tap {
		return nil
	}
	return p.speed([]uint32{2500, 5000, 10000, 20000}[dice%4])
}

// reset is what a driver does when its channels change. A tap has none to change.
func (p *port) reset(dice uint32) error {
	if p.kind == tap {
		return inTurn(p.down, p.pull, p.up, p.plug)
	}
	return inTurn(p.down, func() error { return p.channels(1 + dice%2) }, p.up, func() error { return p.channels(2 - dice%2) })
}

// goOut leaves the port out of order, in one of three ways.
func (p *port) goOut(how int) error {
	return []func() error{p.pull, p.down, p.delete}[how]()
}

// comeBack puts the port in order.
func (p *port) comeBack() error {
	if _, err := p.link(); err != nil {
		return p.create()
	}
	return inTurn(p.up, p.plug)
}
