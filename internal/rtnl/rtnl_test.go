package rtnl

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/ethtool"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/internal/nstest"
)

func opened(tb testing.TB, ns *nstest.NS) *Listener {
	tb.Helper()
	var l *Listener
	if err := ns.Run(func() (err error) { l, err = Open(); return err }); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := l.Close(); err != nil {
			tb.Error(err)
		}
	})
	return l
}

func read(tb testing.TB, l *Listener, names ...string) []Link {
	tb.Helper()
	links, err := l.Read(tb.Context(), names)
	if err != nil {
		tb.Fatal(err)
	}
	return links
}

// until waits for wake-ups until cond holds; only wake-ups make it look again.
func until(t *testing.T, wake <-chan struct{}, cond func() bool, what string) {
	t.Helper()
	limit := time.After(10 * time.Second)
	for !cond() {
		select {
		case <-wake:
		case <-limit:
			t.Fatalf("nobody woke us for: %s", what)
		}
	}
}

func TestRead(t *testing.T) {
	nstest.Require(t, "root", "veth")
	ns := nstest.New(t)
	ns.Veth("eth0", ns, "eth1")
	l := opened(t, ns)
	links := read(t, l, "eth0", "absent", "lo", "a-name-that-is-too-long")
	eth0 := links[0]
	if !eth0.Present || !eth0.AdminUp || !eth0.Carrier || eth0.Index != ns.Index("eth0") || eth0.MTU != 1500 ||
		eth0.Speed != 10000 || !eth0.FullDuplex || string(eth0.MAC[:]) != string(ns.MAC("eth0")) {
		t.Errorf("eth0: %+v", eth0)
	}
	for _, i := range []int{1, 3} {
		if links[i].Present || links[i].Index != 0 || links[i].Name == "" {
			t.Errorf("absent: %+v", links[i])
		}
	}
	if !links[2].Present {
		t.Errorf("lo: %+v", links[2])
	}
	ns.SetDown("eth1")
	if l := read(t, l, "eth0")[0]; l.Carrier || !l.AdminUp {
		t.Errorf("eth0 without its peer: %+v", l)
	}
	ns.SetDown("eth0")
	if l := read(t, l, "eth0")[0]; l.Carrier || l.AdminUp {
		t.Errorf("eth0 down: %+v", l)
	}
}

func TestAlternativeNameIsNotTheInterface(t *testing.T) {
	nstest.Require(t, "root", "veth")
	ns := nstest.New(t)
	ns.Veth("eth0", ns, "eth1")
	nstest.Command(t, ns, "ip", "link", "property", "add", "dev", "eth0", "altname", "lan")
	if l := read(t, opened(t, ns), "lan")[0]; l.Present {
		t.Errorf("got %+v", l)
	}
}

func TestEventsWake(t *testing.T) {
	nstest.Require(t, "root", "veth")
	ns := nstest.New(t)
	ns.Veth("eth0", ns, "eth1")
	l := opened(t, ns)
	wake, cancel := l.Subscribe([]string{"eth0"}, 0, false, true) // no poll
	defer cancel()
	carrier := func(want bool) func() bool { return func() bool { return read(t, l, "eth0")[0].Carrier == want } }
	ns.SetDown("eth1")
	until(t, wake, carrier(false), "carrier lost")
	ns.SetUp("eth1")
	until(t, wake, carrier(true), "carrier back")
	drain(wake)
	ns.AddAddr("eth0", "192.0.2.1/24")
	until(t, wake, sawWake(wake), "an address")
	index := ns.Index("eth0")
	ns.Delete("eth0")
	until(t, wake, func() bool { return !read(t, l, "eth0")[0].Present }, "deletion")
	ns.Veth("eth0", ns, "eth1")
	until(t, wake, func() bool { x := read(t, l, "eth0")[0]; return x.Present && x.Index != index }, "re-creation")
	if err := ns.Handle().LinkSetDown(ns.Link("eth0")); err != nil {
		t.Fatal(err)
	}
	if err := ns.Handle().LinkSetName(ns.Link("eth0"), "lan0"); err != nil {
		t.Fatal(err)
	}
	until(t, wake, func() bool { return !read(t, l, "eth0")[0].Present }, "a rename")
}

func drain(wake <-chan struct{}) {
	for {
		select {
		case <-wake:
		default:
			return
		}
	}
}

// sawWake is false once, so that until takes one wake-up.
func sawWake(<-chan struct{}) func() bool {
	first := true
	return func() bool { defer func() { first = false }(); return !first }
}

func TestOnlyConcernedAreWoken(t *testing.T) {
	nstest.Require(t, "root", "veth")
	ns := nstest.New(t)
	ns.Do(func() { // no link-local address of our own interface, whose events are ours
		_ = iface.SetSysctl("ipv6", "default", "disable_ipv6", "1")
	})
	ns.Veth("eth0", ns, "eth1")
	ns.Veth("eth2", ns, "eth3")
	for _, name := range []string{"eth0", "eth1"} { // the kernel's last word on our own
		nstest.Eventually(t, 10*time.Second, func() bool { return ns.Link(name).Attrs().OperState == netlink.OperUp }, "%s up", name)
	}
	l := opened(t, ns)
	mine, cancel := l.Subscribe([]string{"eth0"}, 0, false, true)
	defer cancel()
	other, cancelOther := l.Subscribe([]string{"eth3"}, 0, false, true)
	defer cancelOther()
	drain(mine)
	ns.SetDown("eth2")
	until(t, other, func() bool { return !read(t, l, "eth3")[0].Carrier }, "the other's carrier")
	select {
	case <-mine:
		t.Error("woken for somebody else's interface")
	default:
	}
}

func TestPollSeesWhatEventsHoldBack(t *testing.T) {
	nstest.Require(t, "root", "tun")
	ns := nstest.New(t)
	taps := make([]*nstest.Tap, 4)
	names := make([]string, len(taps))
	for i := range taps {
		names[i] = fmt.Sprintf("tap%d", i)
		taps[i] = ns.Tap(names[i])
	}
	l := opened(t, ns)
	wake, cancel := l.Subscribe(names, 10*time.Millisecond, true, true)
	defer cancel()
	for round := range 4 {
		up := round%2 == 1
		start := time.Now()
		for i, tap := range taps {
			tap.SetCarrier(up)
			until(t, wake, func() bool { return read(t, l, names[i])[0].Carrier == up }, "a tap's carrier")
		}
		t.Logf("four carriers to %v seen in %v", up, time.Since(start))
	}
}

func TestWakeComesThroughThePollAlone(t *testing.T) {
	nstest.Require(t, "root", "tun", "program:ethtool")
	ns := nstest.New(t)
	tap := ns.Tap("tap0")
	l := opened(t, ns)
	conn, err := l.events.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Control(func(fd uintptr) { // no events any more
		var own unix.Sockaddr
		if own, err = unix.Getsockname(int(fd)); err == nil {
			own.(*unix.SockaddrNetlink).Groups = 0
			err = unix.Bind(int(fd), own)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	wake, cancel := l.Subscribe([]string{"tap0"}, 5*time.Millisecond, false, true)
	defer cancel()
	for _, up := range []bool{false, true, false} {
		tap.SetCarrier(up)
		until(t, wake, func() bool { return read(t, l, "tap0")[0].Carrier == up }, "the poll")
	}
}

func TestOverrunWakesEverybody(t *testing.T) {
	nstest.Require(t, "root", "veth")
	ns := nstest.New(t)
	ns.Veth("eth0", ns, "eth1")
	l := opened(t, ns)
	a, cancelA := l.Subscribe([]string{"eth0"}, 0, false, true)
	defer cancelA()
	b, cancelB := l.Subscribe([]string{"absent"}, 0, false, true)
	defer cancelB()
	// The smallest buffer, and the listener kept from reading by its own lock.
	conn, err := l.events.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1) })
	if err != nil {
		t.Fatal(err)
	}
	drain(a)
	drain(b)
	l.mu.Lock()
	for range 50 {
		ns.SetDown("eth0")
		ns.SetUp("eth0")
	}
	l.mu.Unlock()
	until(t, b, sawWake(b), "an overrun")
	until(t, a, sawWake(a), "an overrun")
}

func TestUseCarrierOffAsksTheDriver(t *testing.T) {
	nstest.Require(t, "root", "veth", "tun")
	ns := nstest.New(t)
	tap := ns.Tap("tap0")
	l := opened(t, ns)
	wake, cancel := l.Subscribe([]string{"tap0", "lo"}, 5*time.Millisecond, false, false)
	defer cancel()
	for _, up := range []bool{false, true} {
		tap.SetCarrier(up)
		until(t, wake, func() bool { return read(t, l, "tap0")[0].Carrier == up }, "ETHTOOL_GLINK")
	}
	ns.SetDown("tap0")
	if read(t, l, "tap0")[0].Carrier {
		t.Error("carrier on an interface that is down")
	}
	// A driver that answers neither ethtool nor MII counts as up; bridges without ports
	// answer, so the querier is asked with a name that no driver has.
	if !l.carrier(linkState{name: "absent", flags: unix.IFF_UP}, true) {
		t.Error("a silent driver counts as down")
	}
}

func TestSpeedChangesWakeAndOutliveTheCarrier(t *testing.T) {
	nstest.Require(t, "root", "tun", "program:ethtool")
	ns := nstest.New(t)
	tap := ns.Tap("tap0")
	l := opened(t, ns)
	wake, cancel := l.Subscribe([]string{"tap0"}, 0, false, true)
	defer cancel()
	until(t, wake, func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.speeds) == 1 || wakeSoon(l) }, "the first speed")
	if _, err := ns.Output("ethtool", "-s", "tap0", "speed", "1000", "duplex", "full"); err != nil {
		nstest.Missing(t, "kernel feature: ethtool -s on a tap device", err)
	}
	until(t, wake, func() bool { return read(t, l, "tap0")[0].Speed == 1000 }, "another speed")
	tap.SetCarrier(false)
	until(t, wake, func() bool { return !read(t, l, "tap0")[0].Carrier }, "carrier lost")
	if got := read(t, l, "tap0")[0]; got.Speed != 1000 {
		t.Errorf("without carrier: %+v", got)
	}
}

// The speed of an interface that nothing was told of is compared with what is known of the
// very one that has the name now.
func TestSameSpeed(t *testing.T) {
	nstest.Require(t, "root", "tun")
	ns := nstest.New(t)
	ns.Tap("tap0")
	var driver *ethtool.Socket
	if err := ns.Run(func() (err error) { driver, err = ethtool.Open(); return err }); err != nil {
		t.Fatal(err)
	}
	defer driver.Close()
	is, err := driver.Settings("tap0")
	if err != nil {
		t.Fatal(err)
	}
	other := is
	other.Speed++
	l := &Listener{driver: driver, places: places{}, speeds: map[int]ethtool.Settings{}}
	for _, c := range []struct {
		when  string
		index int // by which the name is known
		known map[int]ethtool.Settings
		same  bool
	}{
		{"never read", 0, nil, false},
		{"the same", 5, map[int]ethtool.Settings{5: is}, true},
		{"another speed", 5, map[int]ethtool.Settings{5: other}, false},
		{"another interface", 6, map[int]ethtool.Settings{5: is}, false},
	} {
		l.places["tap0"], l.speeds = place{index: c.index}, c.known
		if got := l.sameSpeed("tap0"); got != c.same {
			t.Errorf("%s: got %v", c.when, got)
		}
	}
}

// A link is asked for by the index that it had, and found by its name where that is another
// link's now, or nobody's.
func TestAgainFindsTheName(t *testing.T) {
	nstest.Require(t, "root", "veth")
	ns := nstest.New(t)
	ns.Veth("eth0", ns, "eth1")
	l := opened(t, ns)
	zero, one := ns.Index("eth0"), ns.Index("eth1")
	for _, before := range []int{0, zero, one, 1 << 30} {
		if s, present, err := l.query.again("eth0", before); err != nil || !present || s.name != "eth0" || s.index != zero {
			t.Errorf("known by %d: %+v, %v, %v", before, s, present, err)
		}
	}
	if s, present, err := l.query.again("eth2", one); err != nil || present {
		t.Errorf("a name that went: %+v, %v", s, err)
	}
}

// A driver that started anew may have another speed, also where the carrier is back before
// the kernel tells that it went.
func TestABounceThatIsOverSoilsTheSpeed(t *testing.T) {
	l := &Listener{known: map[int]linkState{}, dirty: map[string]struct{}{}}
	up := linkState{name: "eth0", index: 2, flags: unix.IFF_UP | unix.IFF_LOWER_UP, carrierChanges: 1}
	again := up
	again.carrierChanges += 2
	for _, c := range []struct {
		name  string
		state linkState
		soils bool
	}{{"it came", up, true}, {"nothing", up, false}, {"it bounced", again, true}, {"nothing more", again, false}} {
		clear(l.dirty)
		l.linkEvent(c.state, false)
		if _, soiled := l.dirty["eth0"]; soiled != c.soils {
			t.Errorf("%s: the speed is to be read again: %v", c.name, soiled)
		}
	}
}

func TestKernelCountsCarrierChanges(t *testing.T) {
	nstest.Require(t, "root", "tun")
	ns := nstest.New(t)
	tap := ns.Tap("tap0")
	ns.SetUp("tap0")
	tap.SetCarrier(true)
	l := opened(t, ns)
	changes := func() uint32 {
		s, _, err := l.query.link("tap0")
		if err != nil {
			t.Fatal(err)
		}
		return s.carrierChanges
	}
	before := changes()
	tap.SetCarrier(false)
	tap.SetCarrier(true)
	if after := changes(); after != before+2 {
		t.Errorf("%d before and %d after", before, after)
	}
}

// wakeSoon lets until look again though nobody promised a wake-up.
func wakeSoon(l *Listener) bool {
	for s := range l.subs {
		signal(s.wake)
	}
	return false
}

func TestCloseEndsEverything(t *testing.T) {
	l, err := Open() // needs no privilege
	if err != nil {
		t.Fatal(err)
	}
	_, cancel := l.Subscribe([]string{"lo"}, time.Millisecond, true, true)
	if _, err := l.Read(t.Context(), []string{"lo"}); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	cancel()
}

func TestPeriod(t *testing.T) {
	const us, ms = time.Microsecond, time.Millisecond
	for _, c := range []struct {
		wanted, all, calm, want time.Duration
	}{
		{10 * ms, 6 * us, time.Hour, 10 * ms},   // two ports at rest
		{10 * ms, 6 * us, 0, ms},                // just after an event
		{10 * ms, 6 * us, 1499 * ms, ms},        // still
		{10 * ms, 6 * us, 1500 * ms, 10 * ms},   // no more
		{10 * ms, 300 * us, time.Hour, 96 * ms}, // a hundred ports
		{10 * ms, 300 * us, 0, 30 * ms},         // not faster than the budget allows
		{100 * ms, 6 * us, time.Hour, 100 * ms}, // an operator's own period
		{500 * us, 2 * us, 0, 500 * us},         // never slower for an event
		{10 * ms, 3 * ms, time.Hour, 960 * ms},  // a thousand ports
	} {
		if got := period(c.wanted, c.all, c.calm); got != c.want {
			t.Errorf("period(%v, %v, %v) = %v, want %v", c.wanted, c.all, c.calm, got, c.want)
		}
	}
}

func TestCostLearnsWithinBounds(t *testing.T) {
	var c cost
	if c = c.learn(8*time.Microsecond, 2); c.of(2) != 8*time.Microsecond {
		t.Errorf("first: %v", c.of(1))
	}
	for range 100 {
		c = c.learn(time.Second, 1)
	}
	if c.of(1) > 10*time.Microsecond {
		t.Errorf("after preemption: %v", c.of(1))
	}
	if got := c.learn(time.Second, 0); got != c {
		t.Errorf("a poll of nothing taught %v", got.of(1))
	}
}

func FuzzTake(f *testing.F) {
	f.Add([]byte{16, 0, 0, 0, 16, 0, 0, 0})
	f.Add([]byte{40, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 7, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 6, 0, 3, 0, 'e', 0, 0, 0})
	f.Fuzz(func(_ *testing.T, b []byte) {
		for rest := b; len(rest) > 0; {
			_, _, body, next, ok := nextMessage(rest)
			if !ok {
				return
			}
			_, _ = parseLink(body)
			rest = next
		}
	})
}

func BenchmarkReadTwoPorts(b *testing.B) {
	nstest.Require(b, "root", "veth")
	ns := nstest.New(b)
	ns.Veth("eth0", ns, "eth1")
	l := opened(b, ns)
	names := []string{"eth0", "eth1"}
	_, cancel := l.Subscribe(names, 0, false, true)
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Read(b.Context(), names); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkQuery(b *testing.B) {
	nstest.Require(b, "root", "veth")
	ns := nstest.New(b)
	ns.Veth("eth0", ns, "eth1")
	l := opened(b, ns)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := l.query.link("eth0"); err != nil {
			b.Fatal(err)
		}
	}
}

func TestRisingIsNoCarrier(t *testing.T) {
	for oper, want := range map[byte]bool{0: true, 1: false, 2: false, 3: false, 4: true, 5: true, 6: true} {
		s := linkState{flags: unix.IFF_UP | unix.IFF_LOWER_UP, oper: oper}
		if s.carrier() != want || s.rising() == want {
			t.Errorf("operational state %d: carrier %v, rising %v", oper, s.carrier(), s.rising())
		}
		s.flags = unix.IFF_UP
		if s.carrier() || s.rising() {
			t.Errorf("operational state %d without the flag: carrier %v, rising %v", oper, s.carrier(), s.rising())
		}
	}
}

// A frame sent through the interface's queue the moment Read says carrier must leave.
func TestCarrierMeansThatFramesLeave(t *testing.T) {
	nstest.Require(t, "root", "tun", "program:ethtool")
	ns := nstest.New(t)
	tap := ns.Tap("tap0")
	l := opened(t, ns)
	wake, cancel := l.Subscribe([]string{"tap0"}, 10*time.Millisecond, true, true)
	defer cancel()
	const kind = 0x88b5 // for local experiments
	var left atomic.Int64
	go func() {
		b := make([]byte, 2048)
		for {
			n, err := tap.Read(b)
			if err != nil {
				return
			}
			if n >= 14 && b[12] == kind>>8 && b[13] == kind&0xff {
				left.Add(1)
			}
		}
	}()
	var fd int
	err := ns.Run(func() (err error) {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	to := &unix.SockaddrLinklayer{Ifindex: ns.Index("tap0")}
	frame := make([]byte, 60)
	frame[0], frame[6], frame[12], frame[13] = 2, 2, kind>>8, kind&0xff
	for i := range int64(50) {
		tap.SetCarrier(false)
		until(t, wake, func() bool { return !read(t, l, "tap0")[0].Carrier }, "carrier lost")
		nstest.Eventually(t, 10*time.Second, func() bool {
			return ns.Link("tap0").Attrs().OperState == netlink.OperDown
		}, "the kernel's note of it")
		tap.SetCarrier(true)
		for i%2 == 0 && !read(t, l, "tap0")[0].Carrier {
			runtime.Gosched() // every other time as soon as can be
		}
		until(t, wake, func() bool { return read(t, l, "tap0")[0].Carrier }, "carrier back")
		if err := unix.Sendto(fd, frame, 0, to); err != nil {
			t.Fatal(err)
		}
		nstest.Eventually(t, 20*time.Second, func() bool { return left.Load() == i+1 }, "frame %d to leave", i)
	}
}
