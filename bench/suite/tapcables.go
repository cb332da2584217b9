package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync/atomic"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/wire"
)

const (
	aggregateMAC = "02:00:00:00:00:01"
	switchMAC    = "02:00:00:00:00:02"
	headers      = 14 + 20 + 8 // Ethernet, IPv4 and UDP of a stream's frames
)

// tapCables lead to this process, which is a switch that learns: what is for the
// aggregate goes to the port where it was last heard.
type tapCables struct {
	nearHost *host
	files    []*os.File
	heard    atomic.Int32
	pulled   [len(portNames)]atomic.Bool
	streams  sockets
}

func newTapCables() (cables, error) {
	c := &tapCables{}
	var err error
	if c.nearHost, err = newHost(); err != nil {
		return nil, err
	}
	for _, name := range portNames {
		if err := c.addTap(name); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

func (c *tapCables) addTap(name string) error {
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

func (c *tapCables) near() *host { return c.nearHost }

// pull takes the carrier away, and with it what the driver would still deliver.
func (c *tapCables) pull(i int) error {
	c.pulled[i].Store(true)
	return c.carrier(i, 0)
}

func (c *tapCables) plug(i int) error {
	c.pulled[i].Store(false)
	return c.carrier(i, 1)
}

func (c *tapCables) carrier(i, value int) error {
	conn, err := c.files[i].SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = conn.Control(func(fd uintptr) { inner = unix.IoctlSetPointerInt(int(fd), unix.TUNSETCARRIER, value) })
	return errors.Join(err, inner)
}

func (c *tapCables) open(out, in *numbered) (func(int), func(int), error) {
	if err := c.knowSwitch(); err != nil {
		return nil, nil, err
	}
	for i, f := range c.files {
		go c.hear(i, f, out)
	}
	target, err := c.streams.listen(c.nearHost, nearAggregate, in)
	if err != nil {
		return nil, nil, err
	}
	var conn *net.UDPConn
	err = c.nearHost.Do(func() (err error) {
		conn, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(farAggregate), 9)))
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	c.streams.conns = append(c.streams.conns, conn)
	sendOut := func(number int) {
		_, _ = conn.Write(payload(number)) // what is not sent is lost, and counted
	}
	frame := inwardFrame(uint16(target.Port))
	sendIn := func(number int) {
		binary.BigEndian.PutUint64(frame[headers:], uint64(number))
		_, _ = c.files[c.heard.Load()].Write(frame) // a port without carrier takes nothing: lost, and counted
	}
	return sendOut, sendIn, nil
}

// knowSwitch spares the aggregate's host to ask for the far address.
func (c *tapCables) knowSwitch() error {
	index, err := c.nearHost.index("bond0")
	if err != nil {
		return err
	}
	mac, err := net.ParseMAC(switchMAC)
	if err != nil {
		return err
	}
	return c.nearHost.nl.NeighSet(&netlink.Neigh{
		LinkIndex: index, State: netlink.NUD_PERMANENT, IP: net.ParseIP(farAggregate), HardwareAddr: mac,
	})
}

// hear learns where the aggregate is and takes numbers out of its frames.
func (c *tapCables) hear(port int, f *os.File, out *numbered) {
	b := make([]byte, 2048)
	for {
		n, err := f.Read(b)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil || n < 14 || c.pulled[port].Load() {
			continue
		}
		c.heard.Store(int32(port))
		if n >= headers+8 && binary.BigEndian.Uint16(b[12:]) == unix.ETH_P_IP && b[23] == unix.IPPROTO_UDP {
			out.received(binary.BigEndian.Uint64(b[headers:]))
		}
	}
}

// inwardFrame is a datagram to the aggregate, with room for its number. A UDP checksum
// of zero means that there is none.
func inwardFrame(port uint16) []byte {
	f := make([]byte, headers+18)
	copy(f, []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2})
	binary.BigEndian.PutUint16(f[12:], unix.ETH_P_IP)
	ip := f[14:34]
	ip[0], ip[8], ip[9] = 0x45, 64, unix.IPPROTO_UDP
	binary.BigEndian.PutUint16(ip[2:], uint16(len(f)-14))
	copy(ip[12:], net.ParseIP(farAggregate).To4())
	copy(ip[16:], net.ParseIP(nearAggregate).To4())
	binary.BigEndian.PutUint16(ip[10:], wire.Checksum(ip, 0))
	binary.BigEndian.PutUint16(f[34:], 9)
	binary.BigEndian.PutUint16(f[36:], port)
	binary.BigEndian.PutUint16(f[38:], uint16(len(f)-34))
	return f
}

func (c *tapCables) close() {
	c.streams.close()
	for _, f := range c.files {
		_ = f.Close()
	}
	if c.nearHost != nil {
		c.nearHost.close()
	}
}
