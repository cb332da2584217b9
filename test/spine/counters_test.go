package spine

import (
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// million is how many datagrams are counted, each way.
const million = 1_000_000

// flows is how many flows they are: enough that every port gets some.
const flows = 64

// window is how many datagrams may be under way. It is well below the kernel's backlog
// (net.core.netdev_max_backlog, 1,000), so that a busy machine does not drop them.
const window = 256

// A million datagrams through the aggregate: its own interface counters, what status
// counts for the ports, and the ports' own interface counters are the number sent, in
// both directions, exactly.
func TestCountersAreExact(t *testing.T) {
	for _, c := range []struct {
		mode  string
		count uint64
	}{{"balance-xor", million}, {"active-backup", million / 10}} {
		t.Run(c.mode, func(t *testing.T) {
			r := newHost(t, "bpf")
			r.Start()
			r.Up("br0", "plane=ebpf", "mode="+c.mode, "eth1", "eth2")
			r.counted("out", r.Here, r.There, rig.HereAddr, rig.ThereAddr, c.count, func(now, before counters) {
				same(t, "tx of bond0", now.bond.TxPackets-before.bond.TxPackets, c.count)
				same(t, "tx of the ports' devices", now.ports.TxPackets-before.ports.TxPackets, c.count)
				same(t, "rx of the far ends", now.far.RxPackets-before.far.RxPackets, c.count)
				same(t, "tx of the ports by status", now.statusTx-before.statusTx, c.count)
				same(t, "rx of bond0 meanwhile", now.bond.RxPackets-before.bond.RxPackets, 0)
			})
			r.counted("in", r.There, r.Here, rig.ThereAddr, rig.HereAddr, c.count, func(now, before counters) {
				same(t, "rx of bond0", now.bond.RxPackets-before.bond.RxPackets, c.count)
				same(t, "rx of the ports' devices", now.ports.RxPackets-before.ports.RxPackets, c.count)
				same(t, "tx of the far ends", now.far.TxPackets-before.far.TxPackets, c.count)
				same(t, "rx of the ports by status", now.statusRx-before.statusRx, c.count)
				same(t, "tx of bond0 meanwhile", now.bond.TxPackets-before.bond.TxPackets, 0)
			})
			r.Must("down", "bond0")
		})
	}
}

func same(t *testing.T, what string, got, want uint64) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %d, and %d were sent", what, got, want)
	}
}

// packets are the counters of interfaces, as `ip -s link` shows them.
type packets struct{ TxPackets, RxPackets uint64 }

func sum(n *nstest.NS, names ...string) packets {
	var p packets
	for _, name := range names {
		s := n.Link(name).Attrs().Statistics
		p.TxPackets += s.TxPackets
		p.RxPackets += s.RxPackets
	}
	return p
}

type counters struct {
	bond, ports, far   packets
	statusTx, statusRx uint64
}

func (r *host) counters() counters {
	r.T.Helper()
	c := counters{bond: sum(r.Here, "bond0"), ports: sum(r.Here, "eth1", "eth2"), far: sum(r.There, "far1", "far2")}
	for _, p := range r.Status().Ports {
		c.statusTx += p.Facts.TxFrames
		c.statusRx += p.Facts.RxFrames
	}
	return c
}

// counted sends count datagrams and hands over the counters after and before.
func (r *host) counted(name string, from, to *nstest.NS, src, dst string, count uint64, check func(now, before counters)) {
	r.T.Run(name, func(t *testing.T) {
		// The engine answers when its step is over: what it announces with a plan has left then,
		// though a ping may have gone before.
		r.Status()
		before := r.counters()
		if lost := pump(t, from, to, src, dst, count); lost != 0 {
			t.Errorf("%d of %d lost; softnet: %s", lost, count, rig.Softnet())
		}
		check(r.counters(), before)
	})
}

// pump sends count datagrams, never more than a window ahead of the receiver, and
// returns how many did not arrive.
func pump(t *testing.T, from, to *nstest.NS, src, dst string, count uint64) (lost uint64) {
	t.Helper()
	var in *net.UDPConn
	out := make([]*net.UDPConn, flows)
	err := to.Run(func() (err error) {
		in, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(dst)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	hold(t, in)
	for i := range out {
		err := from.Run(func() (err error) {
			out[i], err = net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(src), Port: 20000 + i}, in.LocalAddr().(*net.UDPAddr))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { out[i].Close() })
	}
	var arrived atomic.Uint64
	go func() {
		b := make([]byte, 64)
		for {
			if _, err := in.Read(b); err != nil {
				return
			}
			arrived.Add(1)
		}
	}()
	payload := make([]byte, 18)
	for i := range count {
		if i%window == 0 && i > 0 && !reached(&arrived, i-window/2) {
			t.Fatalf("of %d datagrams only %d arrived; softnet: %s", i, arrived.Load(), rig.Softnet())
		}
		if _, err := out[i%flows].Write(payload); err != nil {
			t.Fatal(fmt.Errorf("datagram %d: %w", i, err))
		}
	}
	reached(&arrived, count)
	return count - arrived.Load()
}

// reached waits until n has arrived, or nothing more arrives for a while.
func reached(arrived *atomic.Uint64, n uint64) bool {
	for last, since := arrived.Load(), time.Now(); arrived.Load() < n; {
		if now := arrived.Load(); now != last {
			last, since = now, time.Now()
		}
		if time.Since(since) > 2*time.Second {
			return false
		}
		time.Sleep(20 * time.Microsecond)
	}
	return true
}

// hold gives the receiver room for more than a window.
func hold(t *testing.T, c *net.UDPConn) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20)
	})
	if err != nil {
		t.Fatal(err)
	}
}
