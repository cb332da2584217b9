package nstest

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

func pair(t *testing.T) (a, b *NS) {
	t.Helper()
	Require(t, "root", "veth")
	a, b = New(t), New(t)
	a.Veth("eth0", b, "eth1")
	a.AddAddr("eth0", "192.0.2.1/24")
	b.AddAddr("eth1", "192.0.2.2/24")
	a.AddAddr("eth0", "2001:db8::1/64")
	b.AddAddr("eth1", "2001:db8::2/64")
	return a, b
}

func TestPing(t *testing.T) {
	a, b := pair(t)
	a.MustPing("192.0.2.2")
	b.MustPing("2001:db8::1")
	b.SetDown("eth1")
	if a.Ping("192.0.2.2", 50*time.Millisecond) == nil {
		t.Error("a pulled cable answers")
	}
}

func TestStreamCounts(t *testing.T) {
	a, b := pair(t)
	s := StartUDP(t, a, b, "192.0.2.1", "192.0.2.2", time.Millisecond)
	s.WaitReceived(50)
	r := s.Stop()
	if r.Lost != 0 || r.Duplicated != 0 || r.Reordered != 0 || r.Sent < 50 || r.LongestGap == 0 {
		t.Errorf("got %+v", r)
	}
}

func TestStreamNoticesLoss(t *testing.T) {
	Require(t, "program:ip")
	a, b := pair(t)
	// Or frames wait for a neighbour that the loss of carrier has made unknown, and arrive.
	Command(t, a, "ip", "-6", "neigh", "replace", "2001:db8::2", "dev", "eth0", "nud", "permanent",
		"lladdr", b.Link("eth1").Attrs().HardwareAddr.String())
	a.MustPing("2001:db8::2")
	s := StartUDP(t, a, b, "2001:db8::1", "2001:db8::2", 0)
	s.Send(10)
	s.WaitAll()
	b.SetDown("eth1")
	s.Send(7)
	b.SetUp("eth1")
	b.MustPing("192.0.2.1")
	b.AddAddr("eth1", "2001:db8::2/64") // down took it away
	a.MustPing("2001:db8::2")
	s.Send(5)
	Eventually(t, 10*time.Second, func() bool { return s.Received() >= 15 }, "the frames after the loss")
	if r := s.Stop(); r.Sent != 22 || r.Lost != 7 {
		t.Errorf("got %+v", r)
	}
}

func TestStreamJudgesOrder(t *testing.T) {
	var s Stream
	for _, seq := range []uint64{0, 1, 3, 2, 2, 4} {
		s.count(seq, time.Now())
	}
	if s.result.Duplicated != 1 || s.result.Reordered != 1 || s.Received() != 5 {
		t.Errorf("got %+v", s.result)
	}
}

// A sender that a busy machine has kept from its work owes datagrams. Those that it owes at
// the end are not sent, since nobody waits for them: they would count as lost.
func TestStoppedStreamOwesNothing(t *testing.T) {
	s := Stream{out: new(net.UDPConn), stop: make(chan struct{})} // a connection that refuses all
	close(s.stop)
	s.pace(time.Nanosecond) // it is behind from the beginning
	if n := s.Sent(); n != 0 {
		t.Errorf("%d datagrams were sent after the end", n)
	}
}

func TestTapCarrierAndFrames(t *testing.T) {
	Require(t, "root", "tun")
	n := New(t)
	tap := n.Tap("tap0")
	running := func() bool { return n.Link("tap0").Attrs().RawFlags&uint32(1<<16) != 0 }
	if !running() {
		t.Error("no carrier at first")
	}
	tap.SetCarrier(false)
	if running() {
		t.Error("carrier after it was pulled")
	}
	tap.Close()
	Eventually(t, 5*time.Second, func() bool { return !n.Has("tap0") }, "tap0 to go")
}

func TestCommandRunsInNamespace(t *testing.T) {
	a, _ := pair(t)
	if out := Command(t, a, "ip", "-br", "link"); !strings.Contains(out, "eth0") || strings.Contains(out, "eth1") {
		t.Errorf("got %s", out)
	}
}

func TestDoIsInNamespaceAndGoToo(t *testing.T) {
	a, _ := pair(t)
	a.Do(func() {
		if _, err := net.InterfaceByName("eth0"); err != nil {
			t.Error(err)
		}
	})
	done := make(chan struct{})
	a.Go(func() {
		defer close(done)
		if _, err := netlink.LinkByName("eth0"); err != nil {
			t.Error(err)
		}
	})
	<-done
}

func TestBridge(t *testing.T) {
	Require(t, "root", "veth", "bridge")
	a, b, sw := New(t), New(t), New(t)
	a.Veth("eth0", sw, "p1")
	b.Veth("eth0", sw, "p2")
	sw.Bridge("br0", "p1", "p2")
	a.AddAddr("eth0", "192.0.2.1/24")
	b.AddAddr("eth0", "192.0.2.2/24")
	a.MustPing("192.0.2.2")
}

func TestEveryFeatureCanBeAsked(t *testing.T) {
	for _, f := range features() {
		t.Run(f.name, func(t *testing.T) {
			Require(t, f.name)
		})
	}
}
