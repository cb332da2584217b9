package main

import (
	"encoding/binary"
	"errors"
	"math"
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

// switchCables lead to this process, which is a switch that learns: what is for the
// aggregate goes to the port where it was last heard.
type switchCables struct {
	nearHost *host
	// files are the far ends: reading receives a frame, writing sends one.
	files []*os.File
	// carrier sets the carrier that a port sees, on or off.
	carrier func(port int, on bool) error
	// delivers: what is sent to a port without carrier arrives here all the same, and has
	// to count as lost.
	delivers bool
	// last closes what the kind of cable needs besides; may be nil.
	last    func()
	heard   atomic.Int32
	out     *numbered
	dead    [len(portNames)]atomic.Pointer[span]
	streams sockets
}

// span is which numbers of the stream were sent while a cable was out. What was sent
// before has left by it, also where this process had no time to read it yet.
type span struct{ from, to int64 }

func (c *switchCables) near() *host { return c.nearHost }

func (c *switchCables) pull(i int) error {
	err := c.carrier(i, false)
	if c.delivers {
		c.dead[i].Store(&span{c.out.next.Load(), math.MaxInt64})
	}
	return err
}

func (c *switchCables) plug(i int) error {
	err := c.carrier(i, true)
	if dead := c.dead[i].Load(); dead != nil {
		c.dead[i].Store(&span{dead.from, c.out.next.Load()})
	}
	return err
}

// passes reports whether a frame heard on a port has come through its cable, where number
// is the stream's or negative.
func (c *switchCables) passes(port int, number int64) bool {
	dead := c.dead[port].Load()
	if dead == nil {
		return true
	}
	if number < 0 {
		return dead.to != math.MaxInt64
	}
	return number < dead.from || number >= dead.to
}

func (c *switchCables) open(out, in *numbered) (func(int), func(int), error) {
	if err := c.knowSwitch(); err != nil {
		return nil, nil, err
	}
	c.out = out
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
func (c *switchCables) knowSwitch() error {
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
func (c *switchCables) hear(port int, f *os.File, out *numbered) {
	b := make([]byte, 2048)
	for {
		n, err := f.Read(b)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil || n < 14 {
			continue
		}
		number := numberOf(b[:n])
		if !c.passes(port, number) {
			continue
		}
		if dead := c.dead[port].Load(); dead == nil || dead.to != math.MaxInt64 {
			c.heard.Store(int32(port))
		}
		if number >= 0 {
			out.received(uint64(number))
		}
	}
}

// numberOf takes the number out of a frame of the stream; others have -1.
func numberOf(frame []byte) int64 {
	if len(frame) < headers+8 || binary.BigEndian.Uint16(frame[12:]) != unix.ETH_P_IP || frame[23] != unix.IPPROTO_UDP {
		return -1
	}
	return int64(binary.BigEndian.Uint64(frame[headers:]))
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

func (c *switchCables) close() {
	c.streams.close()
	for _, f := range c.files {
		_ = f.Close()
	}
	if c.last != nil {
		c.last()
	}
	if c.nearHost != nil {
		c.nearHost.close()
	}
}
