package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/lacp"
)

// beatOf is how often a fleet looks at its clocks and its socket.
const beatOf = 5 * time.Millisecond

// fleet is the other ends of many aggregates in one process: systems of lacp that are
// stepped together, with one socket for all of their ports.
type fleet struct {
	fd      int
	systems []*lacp.System
	// places are by ifindex.
	places map[int]*fleetPort
	ports  []map[uint16]*fleetPort // by system and number
	queue  outbox
	// sent counts LACPDUs; err is the first failure to send.
	sent int
	err  error
}

// fleetPort is the end of one cable.
type fleetPort struct {
	index, system int
	number        uint16
	// heard is when the last LACPDU came, by the kernel's clock; gap is the longest time
	// between two, and count how many came.
	heard time.Time
	gap   time.Duration
	count int
	// flooded ports are left out of the figures.
	flooded bool
}

// newFleet makes systems of so many ports each, of cables whose far ends are at h.
func newFleet(h *host, cables [][]int) (*fleet, error) {
	f := &fleet{fd: -1, places: map[int]*fleetPort{}}
	for i, indexes := range cables {
		conf := lacp.Config{System: agg.MAC{2, 0xfe, 0, 0, byte(i >> 8), byte(i)}, Active: true, Short: true, Strict: true}
		ports := map[uint16]*fleetPort{}
		for j, index := range indexes {
			number := uint16(j + 1)
			conf.Ports = append(conf.Ports, lacp.Port{Number: number, Priority: 255, MAC: agg.MAC{2, 0xfe, 1, byte(j), byte(i >> 8), byte(i)}})
			ports[number] = &fleetPort{index: index, system: i, number: number}
			f.places[index] = ports[number]
		}
		s, err := lacp.New(conf)
		if err != nil {
			return nil, err
		}
		f.systems, f.ports = append(f.systems, s), append(f.ports, ports)
	}
	err := h.Do(func() (err error) {
		const slow = 0x8809
		protocol := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, slow))
		f.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, int(protocol))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("socket of the other ends: %w", err)
	}
	return f, errors.Join(unix.SetsockoptInt(f.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20),
		unix.SetsockoptInt(f.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1))
}

func (f *fleet) close() {
	if f.fd >= 0 {
		_ = unix.Close(f.fd)
	}
}

// up gives every port a link.
func (f *fleet) up() {
	now := agg.Instant(bootclock.Now())
	for i, s := range f.systems {
		for _, n := range s.Ports() {
			f.give(i, lacp.Input{At: now, Kind: lacp.LinkChanged, Port: n, Link: lacp.Link{Up: true, Speed: 10000, FullDuplex: true}})
		}
	}
	f.flush()
}

// run steps the fleet for d, or until done says so.
func (f *fleet) run(ctx context.Context, d time.Duration, done func() bool) error {
	for end := time.Now().Add(d); time.Now().Before(end) && ctx.Err() == nil && f.err == nil; {
		wait(ctx, beatOf)
		f.read()
		now := agg.Instant(bootclock.Now())
		for i, s := range f.systems {
			if at := s.Deadline(); at != agg.Never && at <= now {
				f.give(i, lacp.Input{At: now, Kind: lacp.Tick})
			}
		}
		f.flush()
		if done != nil && done() {
			break
		}
	}
	return f.err
}

// read takes all frames that have come.
func (f *fleet) read() {
	var buf [256]byte
	oob := make([]byte, unix.CmsgSpace(int(unsafe.Sizeof(unix.Timespec{}))))
	for {
		n, oobn, _, from, err := unix.Recvmsg(f.fd, buf[:], oob, unix.MSG_DONTWAIT)
		if err != nil {
			return
		}
		ll, ok := from.(*unix.SockaddrLinklayer)
		if !ok || ll.Pkttype == unix.PACKET_OUTGOING {
			continue
		}
		p := f.places[ll.Ifindex]
		if p == nil {
			continue
		}
		p.hear(stampOf(oob[:oobn]))
		f.give(p.system, lacp.Input{At: agg.Instant(bootclock.Now()), Kind: lacp.Received, Port: p.number, Frame: buf[:n]})
	}
}

// stampOf is when the kernel received a frame.
func stampOf(oob []byte) time.Time {
	list, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(list) == 0 || len(list[0].Data) < int(unsafe.Sizeof(unix.Timespec{})) {
		return time.Now()
	}
	ts := (*unix.Timespec)(unsafe.Pointer(&list[0].Data[0]))
	return time.Unix(ts.Unix())
}

func (p *fleetPort) hear(at time.Time) {
	if !p.heard.IsZero() {
		p.gap = max(p.gap, at.Sub(p.heard))
	}
	p.heard = at
	p.count++
}

// forget begins the figures anew. The time since the last LACPDU goes on.
func (f *fleet) forget() {
	f.sent = 0
	for _, p := range f.places {
		p.gap, p.count = 0, 0
	}
}

// figures are the longest gap between two LACPDUs of a port, how many came in all, and the
// number of ports that distribute at this end.
func (f *fleet) figures() (gap time.Duration, came, open int) {
	for _, p := range f.places {
		if !p.flooded {
			gap, came = max(gap, p.gap), came+p.count
		}
	}
	for _, s := range f.systems {
		for _, n := range s.Ports() {
			if _, sends := s.Open(n); sends {
				open++
			}
		}
	}
	return gap, came, open
}

// give steps a system; what it says waits for flush.
func (f *fleet) give(i int, in lacp.Input) {
	for _, s := range f.systems[i].Step(in).Send {
		f.queue.add(f.ports[i][s.Port].index, s.Frame)
		f.sent++
	}
}

func (f *fleet) flush() {
	if err := f.queue.send(f.fd); err != nil && f.err == nil {
		f.err = fmt.Errorf("send by the other ends: %w", err)
	}
}

// quietIPv6 keeps the interfaces of a host that are made from now on from saying anything
// of their own.
func (h *host) quietIPv6() error {
	return h.Do(func() error {
		err := os.WriteFile("/proc/thread-self/root/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0)
		if errors.Is(err, os.ErrNotExist) {
			return nil // no IPv6
		}
		return err
	})
}
