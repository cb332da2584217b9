package user_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/nstest"
)

// frame is a minimal frame of an EtherType.
func frame(dst net.HardwareAddr, etherType uint16) []byte {
	b := make([]byte, 60)
	copy(b, dst)
	copy(b[6:], stranger)
	binary.BigEndian.PutUint16(b[12:], etherType)
	return b
}

var (
	stranger  = net.HardwareAddr{2, 0, 0, 0, 0, 0x77} // who sends frames of frame, and nothing else
	slow      = net.HardwareAddr{1, 0x80, 0xc2, 0, 0, 2}
	broadcast = net.HardwareAddr{255, 255, 255, 255, 255, 255}
)

// listen is a socket for one EtherType on one interface, as a daemon of LLDP or EAPOL would
// have it. The function reports whether a frame comes, where it should however long that
// takes, and else in a moment. Frames that hosts send by themselves do not count.
func listen(t *testing.T, ns *nstest.NS, name string, etherType uint16) func(should bool) bool {
	t.Helper()
	var fd int
	err := ns.Run(func() (err error) {
		proto := etherType<<8 | etherType>>8
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(proto))
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: proto, Ifindex: ns.Index(name)})
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(should bool) bool {
		limit := 200 * time.Millisecond
		if should {
			limit = 20 * time.Second
		}
		b := make([]byte, 2000)
		for end := time.Now().Add(limit); time.Now().Before(end); {
			n, _, err := unix.Recvfrom(fd, b, unix.MSG_DONTWAIT)
			switch {
			case err != nil:
				time.Sleep(time.Millisecond)
			case n >= 14 && bytes.Equal(b[6:12], stranger):
				return true
			}
		}
		return false
	}
}

func TestPortsOwnStackSendsNothing(t *testing.T) {
	r := newRig(t)
	r.up(r.plan(0))
	fd := packetSocket(t, r.host, "p0")
	lldp, arp := listen(t, r.peer, "q0", 0x88cc), listen(t, r.peer, "q0", unix.ETH_P_ARP)
	before := r.facts().Ports[0]
	_, _ = unix.Write(fd, frame(broadcast, unix.ETH_P_ARP)) // it is told of the drop, or not
	if _, err := unix.Write(fd, frame(net.HardwareAddr{1, 0x80, 0xc2, 0, 0, 0x0e}, 0x88cc)); err != nil {
		t.Fatal(err)
	}
	if !lldp(true) || arp(false) {
		t.Error("LLDP must leave, ARP must not")
	}
	if got := r.facts().Ports[0].OwnDropped - before.OwnDropped; got != 1 {
		t.Errorf("counted %d drops of the port's own frames, want 1", got)
	}
}

// fences counts our filters at both directions of an interface.
func (r *rig) fences(name string) (n int) {
	r.t.Helper()
	for _, parent := range []uint32{netlink.HANDLE_MIN_INGRESS, netlink.HANDLE_MIN_EGRESS} {
		list, err := r.host.Handle().FilterList(r.host.Link(name), parent)
		if err != nil {
			r.t.Fatal(err)
		}
		n += len(list)
	}
	return n
}

// Somebody removes the qdisc with the fence, of the port and of the device: the next look
// puts it back, and so does the next plan. The counter, which begins anew then and which
// the daemon before this one had seen at 2, does not go back.
func TestFenceIsPutBack(t *testing.T) {
	nstest.Require(t, "program:tc")
	r := newRig(t)
	r.up(r.plan(0))
	own := packetSocket(t, r.host, "p0")
	for range 2 {
		_, _ = unix.Write(own, frame(broadcast, unix.ETH_P_ARP)) // it is told of the drop, or not
	}
	if got := r.facts().Ports[0].OwnDropped; got < 2 {
		t.Fatalf("counted %d drops", got)
	}
	if err := r.host.Run(r.plane.Close); err != nil {
		t.Fatal(err)
	}
	r.open()
	plan := r.plan(0)
	r.apply(plan)
	for what, mend := range map[string]func(){
		"a look":                func() { r.facts() },
		"the same plan":         func() { r.apply(plan) },
		"a plan of those ports": func() { plan = r.plan(0); r.apply(plan) },
	} {
		before := r.facts().Ports[0].OwnDropped
		nstest.Command(t, r.host, "tc", "qdisc", "del", "dev", "p0", "clsact")
		mend()
		if n := r.fences("p0"); n != 2 {
			t.Errorf("%s: %d filters on p0, want 2", what, n)
		}
		if got := r.facts().Ports[0].OwnDropped; got < before || got > math.MaxUint32 {
			t.Errorf("%s: the counter went from %d to %d", what, before, got)
		}
	}
	nstest.Command(t, r.host, "tc", "qdisc", "del", "dev", "yk-bond0", "clsact")
	r.facts()
	if n := r.fences("yk-bond0"); n != 1 {
		t.Errorf("%d filters on the inner end, want 1", n)
	}
	r.host.MustPing("192.0.2.2")
}

func TestFramesForThePortItself(t *testing.T) {
	r := newRig(t)
	r.up(r.plan(0))
	fd := packetSocket(t, r.peer, "q0")
	for etherType, dst := range map[uint16]net.HardwareAddr{
		0x8809: slow, 0x88cc: broadcast, 0x888e: broadcast, 0x88f7: broadcast,
	} {
		onPort, onBond := listen(t, r.host, "p0", etherType), listen(t, r.host, "bond0", etherType)
		if _, err := unix.Write(fd, frame(dst, etherType)); err != nil {
			t.Fatal(err)
		}
		if !onPort(true) || !onBond(true) {
			t.Errorf("type %#x: port and aggregate must both get it", etherType)
		}
	}
	onPort, onBond := listen(t, r.host, "p0", 0x9999), listen(t, r.host, "bond0", 0x9999)
	if _, err := unix.Write(fd, frame(broadcast, 0x9999)); err != nil {
		t.Fatal(err)
	}
	if !onBond(true) || onPort(false) {
		t.Error("an ordinary frame is the aggregate's alone")
	}
}

func TestStandbyPortReceivesNothing(t *testing.T) {
	r := newRig(t)
	r.up(r.plan(0))
	fd := packetSocket(t, r.peer, "q1")
	onBond := listen(t, r.host, "bond0", 0x9999)
	before := r.facts().Ports[1].RxDropped
	if _, err := unix.Write(fd, frame(broadcast, 0x9999)); err != nil {
		t.Fatal(err)
	}
	if onBond(false) {
		t.Error("a standby port received")
	}
	if got := r.facts().Ports[1].RxDropped; got <= before {
		t.Errorf("dropped %d", got-before)
	}
}

func TestBlockedPlanPassesNothing(t *testing.T) {
	r := newRig(t)
	r.up(r.plan(0))
	r.host.MustPing("192.0.2.2")
	plan := r.plan(0)
	plan.Blocked = true
	r.apply(plan)
	onPeer, onBond := listen(t, r.peer, "q0", 0x9999), listen(t, r.host, "bond0", 0x9999)
	_, _ = unix.Write(packetSocket(t, r.host, "bond0"), frame(broadcast, 0x9999)) // no carrier
	_, _ = unix.Write(packetSocket(t, r.peer, "q0"), frame(broadcast, 0x9999))
	if onPeer(false) || onBond(false) {
		t.Error("a blocked aggregate carries frames")
	}
}

// state is all that a take may touch, as tools print it.
func (r *rig) state() string {
	var b strings.Builder
	for _, c := range []string{
		"ip -d link show", "ip maddr show | sort", "tc qdisc show",
		"tc filter show dev p0 ingress", "tc filter show dev p0 egress",
		"tc filter show dev p1 ingress", "tc filter show dev p1 egress",
		"grep -rs . /proc/sys/net/ipv6/conf/p0/ /proc/sys/net/ipv6/conf/p1/ --include=disable_ipv6 --include=accept_ra",
	} {
		out, _ := r.host.Output("sh", "-c", c) // a kernel without IPv6 has nothing to grep
		b.WriteString("# " + c + "\n" + out)
	}
	return b.String()
}

func TestDestroyLeavesNothing(t *testing.T) {
	nstest.Require(t, "root", "veth")
	r := &rig{t: t, host: nstest.New(t), peer: nstest.New(t), stateDir: t.TempDir()}
	r.host.Veth("p0", r.peer, "q0")
	r.host.Veth("p1", r.peer, "q1")
	nstest.Command(t, r.host, "tc", "qdisc", "add", "dev", "p1", "clsact")
	nstest.Command(t, r.host, "tc", "filter", "add", "dev", "p1", "egress", "protocol", "ip", "pref", "7",
		"u32", "match", "u32", "0", "0", "classid", "1:1")
	nstest.Eventually(t, 20*time.Second, func() bool { // the groups of an address are joined before it is not tentative
		text := nstest.Command(t, r.host, "ip", "-6", "-o", "addr")
		return strings.Contains(text, " p0 ") && strings.Contains(text, " p1 ") && !strings.Contains(text, "tentative")
	}, "the addresses of the ports")
	before := r.state()
	r.open()
	r.up(r.plan(0))
	if f := r.facts(); len(f.ForeignFilters) == 0 || !strings.Contains(f.ForeignFilters[0], "p1 egress") {
		t.Errorf("foreign filters: %v", f.ForeignFilters)
	}
	if err := r.host.Run(func() error { return r.plane.Destroy(t.Context()) }); err != nil {
		t.Fatal(err)
	}
	after := ""
	for end := time.Now().Add(20 * time.Second); after != before; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) { // the kernel joins the groups of what it has back in its own time
			t.Fatalf("before:\n%s\nafter:\n%s", before, after)
		}
		after = r.state()
	}
}

// packetSocket returns a raw socket on an interface.
func packetSocket(t *testing.T, ns *nstest.NS, name string) (fd int) {
	t.Helper()
	err := ns.Run(func() (err error) {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: 0x0300, Ifindex: ns.Index(name)})
	})
	if err != nil {
		t.Fatal(err)
	}
	return fd
}
