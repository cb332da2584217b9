package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// period between datagrams of a stream: 10,000 a second.
	period = 100 * time.Microsecond
	// apart is the time between a pull and plugging in again, and the next pull. It is
	// short, so that the kernel holds events of ordinary devices back.
	apart = 60 * time.Millisecond
)

// cables are the two cables of an active-backup aggregate and what is behind them.
type cables interface {
	near() *host
	// pull and plug change the carrier that port number i sees.
	pull(i int) error
	plug(i int) error
	// open starts to receive what leaves the aggregate, and returns how to send a number
	// out by it, and to it, until close.
	open(out, in *numbered) (sendOut, sendIn func(number int), err error)
	close()
}

// measureFailover pulls the active cable again and again under streams both ways.
func measureFailover(ctx context.Context, s settings, rep *report) error {
	kinds := []struct {
		name string
		make func() (cables, error)
		goal string
	}{
		{"veth", newVethCables, "1 / 3"},
		{"twin veth", newTwinCables, "1 / 3"},
		{"tap", newTapCables, "3 / 12"},
	}
	var failed []error
	for _, plane := range []string{"ebpf", "user"} {
		for _, k := range kinds {
			c, err := k.make()
			if err == nil {
				err = failover(ctx, s, rep, c, plane, k.name, k.goal)
				c.close()
			}
			if err != nil {
				failed = append(failed, fmt.Errorf("%s on %s ports: %w", plane, k.name, err))
			}
		}
	}
	return errors.Join(failed...)
}

func failover(ctx context.Context, s settings, rep *report, c cables, plane, kind, goal string) error {
	d, err := startDaemon(ctx, c.near(), s)
	if err != nil {
		return err
	}
	defer d.stop(ctx)
	if err := d.yoke(ctx, "up", "bond0", "plane="+plane, "mode=active-backup", "mac="+aggregateMAC, "eth0", "eth1"); err != nil {
		return err
	}
	if err := errors.Join(c.near().address("bond0", nearAggregate+"/24"), c.near().up("bond0")); err != nil {
		return err
	}
	most := int(time.Duration(s.pulls+20) * 3 * apart / period)
	out, in := newNumbered(most), newNumbered(most)
	sendOut, sendIn, err := c.open(out, in)
	if err != nil {
		return err
	}
	stop := make(chan struct{})
	var senders sync.WaitGroup
	senders.Go(func() { out.send(stop, period, sendOut) })
	senders.Go(func() { in.send(stop, period, sendIn) })
	wait(ctx, 10*apart)
	pulls, err := pullAll(ctx, c, s.pulls)
	wait(ctx, 5*apart)
	close(stop)
	senders.Wait()
	wait(ctx, apart)
	if err != nil || len(pulls) == 0 {
		return errors.Join(err, ctx.Err())
	}
	for name, n := range map[string]*numbered{"from the aggregate": out, "to it": in} {
		addOutages(rep, fmt.Sprintf("%s, %s ports, %s", plane, kind, name), goal, n.outages(pulls))
	}
	return nil
}

// pullAll pulls and plugs the two cables in turn.
func pullAll(ctx context.Context, c cables, n int) ([]time.Time, error) {
	var pulls []time.Time
	for i := 0; i < n && ctx.Err() == nil; i++ {
		pulls = append(pulls, time.Now())
		if err := c.pull(i % 2); err != nil {
			return pulls, err
		}
		wait(ctx, apart)
		if err := c.plug(i % 2); err != nil {
			return pulls, err
		}
		wait(ctx, apart)
	}
	return pulls, nil
}

func addOutages(rep *report, name, goal string, outages []outage) {
	var lost, lengths []float64
	whole := 0
	for _, o := range outages {
		lost, lengths = append(lost, float64(o.lost)), append(lengths, o.length)
		if o.lost == 0 {
			whole++
		}
	}
	note := fmt.Sprintf("99th %.2f ms, worst %.2f ms; lost a pull: median %.0f, worst %.0f; %d of %d pulls lost nothing",
		quantile(lengths, 0.99), quantile(lengths, 1), median(lost), quantile(lost, 1), whole, len(outages))
	rep.add(row{"failover, median / 99th", name, median(lengths), "ms", goal, note})
}

// sockets opens a socket in each host and sends numbers between them.
type sockets struct{ conns []*net.UDPConn }

func (s *sockets) close() {
	for _, c := range s.conns {
		c.Close()
	}
}

// between sends numbers from a socket of one host to a socket of another.
func (s *sockets) between(from, to *host, src, dst string, n *numbered) (func(int), error) {
	target, err := s.listen(to, dst, n)
	if err != nil {
		return nil, err
	}
	var c *net.UDPConn
	err = from.Do(func() (err error) {
		c, err = net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(src), 0)), target)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.conns = append(s.conns, c)
	return func(number int) {
		_, _ = c.Write(payload(number)) // what is not sent is lost, and counted
	}, nil
}

// listen receives numbers in a host.
func (s *sockets) listen(h *host, addr string, n *numbered) (*net.UDPAddr, error) {
	var c *net.UDPConn
	err := h.Do(func() (err error) {
		c, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(addr), 0)))
		return err
	})
	if err != nil {
		return nil, err
	}
	s.conns = append(s.conns, c)
	if err := c.SetReadBuffer(4 << 20); err != nil {
		return nil, err
	}
	go func() {
		b := make([]byte, 64)
		for {
			length, err := c.Read(b)
			switch {
			case errors.Is(err, net.ErrClosed):
				return
			case err == nil && length >= 8:
				n.received(binary.BigEndian.Uint64(b))
			}
		}
	}()
	return c.LocalAddr().(*net.UDPAddr), nil
}

func payload(number int) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 0, 8), uint64(number))
}
