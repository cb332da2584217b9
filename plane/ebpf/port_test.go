package ebpf

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
)

func htons(n uint16) uint16 { return n<<8 | n>>8 }

// packets is a packet socket on an interface.
type packets struct {
	t     testing.TB
	fd    int
	index int
}

func openPackets(t testing.TB, n *nstest.NS, name string) *packets {
	t.Helper()
	p := &packets{t: t, index: n.Index(name)}
	err := n.Run(func() (err error) {
		p.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(htons(unix.ETH_P_ALL)))
		if err != nil {
			return err
		}
		return unix.Bind(p.fd, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: p.index})
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(p.fd) })
	return p
}

func (p *packets) send(frame []byte) {
	p.t.Helper()
	err := unix.Sendto(p.fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: p.index})
	if err != nil && !errors.Is(err, unix.ENOBUFS) { // which is how a drop at egress looks
		p.t.Fatal(err)
	}
}

// sees reports whether a frame of control of the given type comes, where it should however
// long that takes, and else in a while. Frames that hosts send by themselves do not count.
func (p *packets) sees(kind uint16, should bool) bool {
	p.t.Helper()
	limit := 300 * time.Millisecond
	if should {
		limit = 20 * time.Second
	}
	for until := time.Now().Add(limit); time.Now().Before(until); {
		b := p.next(until)
		if len(b) >= 14 && agg.MAC(b[6:12]) == sender && uint16(b[12])<<8|uint16(b[13]) == kind {
			return true
		}
	}
	return false
}

// next is the next frame that comes, or empty where none is there at the given time.
func (p *packets) next(until time.Time) []byte {
	b := make([]byte, 2048)
	for {
		n, from, err := unix.Recvfrom(p.fd, b, unix.MSG_DONTWAIT)
		if err != nil {
			if !time.Now().Before(until) {
				return nil
			}
			poll := []unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}
			_, _ = unix.Poll(poll, 20) // an interrupted wait is only shorter
			continue
		}
		if l, ok := from.(*unix.SockaddrLinklayer); !ok || l.Pkttype != unix.PACKET_OUTGOING {
			return b[:n]
		}
	}
}

// sender has sent what control makes, and nothing else.
var sender = agg.MAC{2, 0, 0, 0, 0, 9}

func control(dst agg.MAC, kind uint16) []byte {
	f := append([]byte{}, dst[:]...)
	f = append(f, sender[:]...)
	f = append(f, byte(kind>>8), byte(kind))
	return append(f, make([]byte, 46)...)
}

var broadcast = agg.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

func TestControlFramesReachPortAndAggregate(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.ready()
		slow := agg.MAC{1, 0x80, 0xc2, 0, 0, 2}
		frames := map[uint16][]byte{
			0x8809: control(slow, 0x8809),
			0x88cc: control(agg.MAC{1, 0x80, 0xc2, 0, 0, 0xe}, 0x88cc),
			0x888e: control(broadcast, 0x888e),
			0x88f7: control(agg.MAC{1, 0x1b, 0x19, 0, 0, 0}, 0x88f7),
		}
		for kind, f := range frames {
			for i, name := range r.names { // eth0 receives, eth1 stands by
				onPort, onBond := openPackets(t, r.near, name), openPackets(t, r.near, "bond0")
				openPackets(t, r.far, name).send(f)
				if !onPort.sees(kind, true) {
					t.Errorf("%#x: not seen on %s", kind, name)
				}
				if got := onBond.sees(kind, i == 0); got != (i == 0) {
					t.Errorf("%#x on %s: seen on bond0 is %v", kind, name, got)
				}
			}
		}
	})
}

func TestStandbyPortDropsAfterItsSockets(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.ready()
		onPort, onBond := openPackets(t, r.near, "eth1"), openPackets(t, r.near, "bond0")
		before := r.observe().Ports[1].RxDropped
		openPackets(t, r.far, "eth1").send(control(broadcast, 0x1234))
		if !onPort.sees(0x1234, true) {
			t.Error("the port's own sockets did not see it")
		}
		if onBond.sees(0x1234, false) {
			t.Error("the aggregate received it")
		}
		if got := r.observe().Ports[1].RxDropped; got == before {
			t.Error("the drop is not counted")
		}
	})
}

func TestOwnStackOfPortIsDropped(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.ready()
		far := openPackets(t, r.far, "eth0")
		near := openPackets(t, r.near, "eth0")
		before := r.observe().Ports[0].OwnDropped
		near.send(control(broadcast, 0x0806))
		if far.sees(0x0806, false) {
			t.Error("ARP of the port's own stack left")
		}
		if got := r.observe().Ports[0].OwnDropped - before; got != 1 {
			t.Errorf("counted %d drops", got)
		}
		near.send(control(agg.MAC{1, 0x80, 0xc2, 0, 0, 0xe}, 0x88cc))
		if !far.sees(0x88cc, true) {
			t.Error("LLDP did not leave")
		}
	})
}

func TestBlockedStopsBothWays(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		for _, fast := range []bool{false, true} {
			r.ready()
			p := r.plan(0)
			p.Blocked, p.FastPath = true, fast
			r.apply(p)
			far, bond := openPackets(t, r.far, "eth0"), openPackets(t, r.near, "bond0")
			bond.send(control(broadcast, 0x1234))
			if far.sees(0x1234, false) {
				t.Error("a frame left")
			}
			far.send(control(broadcast, 0x1235))
			if bond.sees(0x1235, false) {
				t.Error("a frame was received")
			}
			f := r.observe()
			if f.Counters["drop_blocked_tx"] == 0 || f.Counters["drop_blocked_rx"] == 0 {
				t.Errorf("counters %v", f.Counters)
			}
			if !f.Published.Blocked {
				t.Error("blocked is not read back")
			}
		}
	})
}
