package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// block is how much one call reads or writes.
const block = 256 << 10

// patience is how long a connection may take to open.
const patience = 10 * time.Second

// path is a way between two hosts: an address at each end.
type path struct{ nearAddr, farAddr string }

// direction of streams.
type direction int

const (
	outward direction = iota
	inward
	bothWays
)

func (d direction) String() string { return [...]string{"out", "in", "both ways"}[d] }

// ways are the single directions of d.
func (d direction) ways() []direction {
	if d == bothWays {
		return []direction{outward, inward}
	}
	return []direction{d}
}

// stream runs TCP flows between the hosts of a rig and returns what arrived, in Gbit/s.
func (r *rig) stream(ctx context.Context, p path, flows int, d direction, length time.Duration) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var arrived atomic.Int64
	var all sync.WaitGroup
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
		all.Wait()
	}()
	// All connect before the first sends: a saturated way takes long to connect through.
	for _, way := range d.ways() {
		from, to, addr := r.near, r.far, p.farAddr
		if way == inward {
			from, to, addr = r.far, r.near, p.nearAddr
		}
		for range flows {
			in, out, err := connect(from, to, addr)
			if err != nil {
				return 0, err
			}
			conns = append(conns, in, out)
		}
	}
	for i := 0; i < len(conns); i += 2 {
		all.Go(func() { drain(conns[i], &arrived) })
		all.Go(func() { feed(conns[i+1]) })
	}
	// The first moments belong to slow start.
	wait(ctx, length/5)
	before, start := arrived.Load(), time.Now()
	wait(ctx, length)
	bits := float64(arrived.Load()-before) * 8
	return bits / time.Since(start).Seconds() / 1e9, ctx.Err()
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// connect opens one connection between two hosts.
func connect(from, to *host, addr string) (in, out net.Conn, err error) {
	var l *net.TCPListener
	err = to.Do(func() (err error) {
		l, err = net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(addr), 0)))
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	if err := l.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, nil, err
	}
	accepted := make(chan error, 1)
	go func() {
		var err error
		in, err = l.Accept()
		accepted <- err
	}()
	err = from.Do(func() (err error) {
		dialer := net.Dialer{Timeout: patience}
		out, err = dialer.Dial("tcp", l.Addr().String())
		return err
	})
	if err != nil {
		l.Close()
		return nil, nil, errors.Join(err, <-accepted)
	}
	return in, out, <-accepted
}

func feed(c net.Conn) {
	b := make([]byte, block)
	for {
		if _, err := c.Write(b); err != nil {
			return // closed at the end of the run
		}
	}
}

func drain(c net.Conn, count *atomic.Int64) {
	b := make([]byte, block)
	for {
		n, err := c.Read(b)
		count.Add(int64(n))
		if err != nil {
			return // closed at the end of the run
		}
	}
}
