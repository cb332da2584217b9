package ebpf

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/nstest"
)

// magic begins the payload of the datagrams of this test.
const magic = 0x796f6b6501020304

// catcher counts the numbered datagrams that leave by taps.
type catcher struct {
	mu   sync.Mutex
	seen map[uint64]string
	last atomic.Int64
}

func (c *catcher) watch(tap *nstest.Tap) {
	b := make([]byte, 2048)
	for {
		n, err := tap.Read(b)
		if err != nil {
			return
		}
		const payload = 14 + 20 + 8
		if n < payload+16 || binary.BigEndian.Uint64(b[payload:]) != magic {
			continue
		}
		c.mu.Lock()
		c.seen[binary.BigEndian.Uint64(b[payload+8:])] = tap.Name
		c.mu.Unlock()
		c.last.Store(time.Now().UnixNano())
	}
}

func (c *catcher) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}

// newTapRig is a rig whose ports are taps, with the carrier behaviour of real devices.
func newTapRig(t *testing.T, o Options) (*rig, []*nstest.Tap) {
	nstest.Require(t, "tun")
	r := &rig{TB: t, near: nstest.New(t), options: o, names: []string{"eth0", "eth1"}}
	r.options.Name, r.options.StateDir = "bond0", t.TempDir()
	taps := []*nstest.Tap{r.near.Tap("eth0"), r.near.Tap("eth1")}
	t.Cleanup(r.destroy)
	r.open()
	quiet(r.near, "bond0")
	r.near.AddAddr("bond0", here+"/24")
	r.near.SetUp("bond0")
	return r, taps
}

func requireGuard(t *testing.T, p *Plane) {
	t.Helper()
	if !p.Capability().Guard {
		nstest.Missing(t, "kernel feature: a tc program that sees its device", errors.New("it came with Linux 6.2, with BTF"))
	}
}

func TestGuardMovesFramesWithNobodyReacting(t *testing.T) {
	nstest.Require(t, "root", "bpf", "tun")
	r, taps := newTapRig(t, Options{})
	requireGuard(t, r.plane)
	r.apply(r.plan(0))
	r.neighbor("bond0", there)
	c := &catcher{seen: map[uint64]string{}}
	for _, tap := range taps {
		go c.watch(tap)
	}
	const total, pull = 10000, 4000
	send := r.sender()
	for i := range total {
		if i == pull {
			taps[0].SetCarrier(false)
		}
		send(uint64(i))
		if i%50 == 0 { // let the readers of the taps keep up: their queues are short
			nstest.Eventually(t, 20*time.Second, func() bool { return c.count() >= i-100 }, "frame %d at the far end", i-100)
		}
	}
	nstest.Eventually(t, 20*time.Second, func() bool { return c.count() == total }, "all %d frames", total)
	moved := r.observe().Ports[0].GuardMoved
	if moved != total-pull {
		t.Errorf("guard moved %d frames, not %d", moved, total-pull)
	}
}

// sender returns a function that sends the datagram of a number through the aggregate.
func (r *rig) sender() func(n uint64) {
	r.Helper()
	var conn *net.UDPConn
	err := r.near.Run(func() (err error) {
		conn, err = net.DialUDP("udp", nil, &net.UDPAddr{IP: net.ParseIP(there), Port: 9})
		return err
	})
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { conn.Close() })
	return func(n uint64) {
		b := binary.BigEndian.AppendUint64(nil, magic)
		if _, err := conn.Write(binary.BigEndian.AppendUint64(b, n)); err != nil {
			r.Fatal(err)
		}
	}
}

// neighbor writes down the address of a peer that does not answer.
func (r *rig) neighbor(name, address string) {
	r.Helper()
	err := r.near.Handle().NeighSet(&netlink.Neigh{
		LinkIndex: r.near.Index(name), State: netlink.NUD_PERMANENT, Family: unix.AF_INET,
		IP: net.ParseIP(address), HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, 2},
	})
	if err != nil {
		r.Fatal(err)
	}
}

func TestBlindGuardForwards(t *testing.T) {
	nstest.Require(t, "root", "bpf", "veth", "bridge")
	r := newRig(t, Options{ForceBlindGuard: true})
	r.ready()
	if r.plane.Capability().Guard {
		t.Error("the blind guard claims to see")
	}
	if err := r.near.Run(func() error { return r.plane.Apply(context.Background(), r.plan(1)) }); err != nil {
		t.Fatal(err)
	}
	r.near.MustPing(there)
}

func TestGuardOpensTheSecondPortForReceiving(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		requireGuard(t, r.plane)
		r.ready()
		out := r.stream(time.Millisecond)
		in := nstest.StartUDP(r, r.far, r.near, there, here, time.Millisecond)
		out.WaitReceived(50)
		in.WaitReceived(50)
		r.close() // nobody will publish another plan
		for range 3 {
			r.far.SetDown("eth0")
			out.WaitReceived(50)
			in.WaitReceived(50)
			r.far.SetUp("eth0")
			out.WaitReceived(50)
			in.WaitReceived(50)
		}
		r.far.SetDown("eth0")
		out.WaitReceived(50)
		r.open()
		if n := r.observe().Counters["guard_opened_ports"]; n != 1 {
			t.Errorf("%d ports are opened by the guard", n)
		}
		p := r.plan(0) // a new plan starts with them closed
		r.apply(p)
		out.WaitReceived(50)
		if n := r.observe().Counters["guard_opened_ports"]; n != 1 {
			t.Errorf("%d ports are opened by the guard under the new plan", n)
		}
		in.WaitReceived(50)
		r.far.SetUp("eth0")
		nstest.Eventually(t, 20*time.Second, func() bool {
			return r.observe().Counters["guard_opened_ports"] == 0
		}, "the port closed again")
		out.Stop()
		in.Stop()
	})
}

// The guard of the next daemon knows that frames are away, and closes what was opened, also
// where the port works again before it has moved any frame itself.
func TestNextDaemonEndsWhatTheGuardBegan(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		requireGuard(t, r.plane)
		r.ready()
		out := r.stream(time.Millisecond)
		out.WaitReceived(20)
		r.far.SetDown("eth0")
		out.WaitReceived(20)
		out.Stop()
		r.close()
		r.far.SetUp("eth0")
		nstest.Eventually(t, 20*time.Second, func() bool {
			return r.near.Link("eth0").Attrs().RawFlags&unix.IFF_LOWER_UP != 0
		}, "the carrier of eth0")
		r.open()
		out = r.stream(time.Millisecond)
		nstest.Eventually(t, 20*time.Second, func() bool {
			return r.observe().Counters["guard_opened_ports"] == 0
		}, "the port closed again")
		out.Stop()
	})
}
