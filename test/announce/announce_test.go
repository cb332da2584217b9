package announce

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
	"github.com/yokelag/yoke/internal/afpacket"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/internal/rtnl"
	"github.com/yokelag/yoke/plane/device"
	"github.com/yokelag/yoke/plane/ebpf"
	"github.com/yokelag/yoke/wire"
)

// tick is bonding's timer in the captures, miimon=100: what it does is late by so much.
const tick = 100 * time.Millisecond

// The addresses of the captures.
var (
	bondMAC = agg.MAC{2, 0, 0, 0, 1, 0xee}
	p0MAC   = agg.MAC{2, 0, 0, 0, 1, 0}
	p1MAC   = agg.MAC{2, 0, 0, 0, 1, 1}
)

// capture is one directory of captures, and what to do to get the same.
type capture struct {
	dir      string
	options  map[string]string
	first    agg.MAC // what the bond has after p0 was cut
	then     string  // what follows: active_slave=p0, or a cut of p1
	second   agg.MAC
	interval time.Duration // between announcements
}

func captures() []capture {
	return []capture{
		{"default-vlan100", map[string]string{"mac": bondMAC.String()}, bondMAC, "active_slave", bondMAC, 0},
		{"num3-delay200", map[string]string{"mac": bondMAC.String(), "num_grat_arp": "3", "peer_notif_delay": "200", "resend_igmp": "2"},
			bondMAC, "cut", bondMAC, 200 * time.Millisecond},
		{"fail-over-mac-active", map[string]string{"fail_over_mac": "active"}, p1MAC, "active_slave", p0MAC, 0},
	}
}

// The frames of the captures, byte for byte and in their order, with the VLAN's tag.
func TestSaysWhatBondingSays(t *testing.T) {
	nstest.Require(t, "root", "veth", "bridge", "vlan", "bpf", "bpffs")
	for _, c := range captures() {
		t.Run(c.dir, func(t *testing.T) { c.attempt(t, true) })
	}
}

// The same without the VLAN, for kernels that have none.
func TestSaysWhatBondingSaysUntagged(t *testing.T) {
	nstest.Require(t, "root", "veth", "bridge", "bpf", "bpffs")
	captures()[1].attempt(t, false)
}

// attempt repeats a capture. The frames must be right each time; when they come may be
// wrong twice, for the sake of a machine that stood still, and so may be that all of them
// are heard, for the sake of a kernel that speaks in between. It may be wrong more often where
// a clock in this process, in which the engine runs too, was late meanwhile.
func (c capture) attempt(t *testing.T, vlan bool) {
	const most, mostLate, punctual = 3, 8, tick / 4
	for n := 1; ; n++ {
		var late error
		slept := oversleep(func() {
			if !t.Run(fmt.Sprintf("attempt-%d", n), func(t *testing.T) { late = c.repeat(t, vlan) }) {
				late = nil
			}
		})
		switch {
		case late == nil:
			return
		case n >= mostLate, n >= most && slept < punctual:
			t.Fatalf("%v; a clock was up to %v late", late, slept)
		default:
			t.Logf("%v; a clock was up to %v late", late, slept)
		}
	}
}

// oversleep is how late a clock was at worst while do was done.
func oversleep(do func()) (worst time.Duration) {
	const pause = 5 * time.Millisecond
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			began := time.Now()
			select {
			case <-done:
				return
			case <-time.After(pause):
				worst = max(worst, time.Since(began)-pause)
			}
		}
	}()
	do() // which does not panic or leave the goroutine: it runs a subtest
	close(done)
	<-ended
	return worst
}

func (c capture) repeat(t *testing.T, vlan bool) (late error) {
	r := newRig(t, c, vlan)
	q0, q1 := r.peer.Capture("q0"), r.peer.Capture("q1")
	r.untilSilent(q0, q1)

	r.peer.SetDown("q0")
	late = c.compare(t, "port1.pcap", q1, c.first, vlan)
	r.peer.SetUp("q0")
	r.untilWorking("p0")
	if c.then == "cut" {
		q0 = r.peer.Capture("q0")
		r.peer.SetDown("q1")
	} else {
		r.untilSilent(q0, q1)
		q0 = r.peer.Capture("q0")
		r.set("active_slave", "p0")
	}
	return errors.Join(late, c.compare(t, "port0.pcap", q0, c.second, vlan))
}

// compare waits for as many frames as bonding sent by the port, and compares them. The
// error is about when they came.
func (c capture) compare(t *testing.T, file string, got *nstest.Capture, mac agg.MAC, vlan bool) (late error) {
	t.Helper()
	want := told(nstest.ReadPcap(t, "../../announce/testdata/"+c.dir+"/"+file), mac, vlan)
	if len(want) == 0 {
		t.Fatalf("%s: nothing was said in the capture", file)
	}
	var said []nstest.Frame
	for start := time.Now(); len(said) < len(want); time.Sleep(10 * time.Millisecond) {
		said = told(got.Frames(), mac, vlan)
		if time.Since(start) > 10*time.Second {
			return fmt.Errorf("%s: %d announcements and not %d; all that was heard:\n%s", file, len(said), len(want), heard(got))
		}
	}
	for i := range want {
		if a, b := hex.EncodeToString(said[i].Bytes), hex.EncodeToString(want[i].Bytes); a != b {
			t.Fatalf("%s, frame %d:\ngot  %s\nwant %s", file, i, a, b)
		}
	}
	t.Logf("%s: %d frames as those of bonding, in %v (bonding: %v)", file, len(want), said[len(said)-1].At-said[0].At, want[len(want)-1].At-want[0].At)
	mine, theirs := starts(said), starts(want)
	for i := 1; i < len(mine) && c.interval > 0; i++ {
		for who, gap := range map[string]time.Duration{"yoke": mine[i] - mine[i-1], "bonding": theirs[i] - theirs[i-1]} {
			if gap < c.interval-tick || gap > c.interval+tick {
				late = fmt.Errorf("%s, announcement %d of %s came %v after the one before, not %v", file, i, who, gap, c.interval)
			}
		}
	}
	time.Sleep(c.interval + 2*tick) // one announcement too many would have come by then
	if more := told(got.Frames(), mac, vlan); len(more) != len(want) {
		t.Fatalf("%s: %d frames, and bonding sent %d; all that was heard:\n%s", file, len(more), len(want), heard(got))
	}
	return late
}

func heard(c *nstest.Capture) string {
	var b strings.Builder
	for _, f := range c.Frames() {
		fmt.Fprintf(&b, "%v %x\n", f.At, f.Bytes)
	}
	return b.String()
}

// starts are when each series of announcements began: with the untagged ARP request.
func starts(frames []nstest.Frame) (at []time.Duration) {
	for _, f := range frames {
		if eth, _, err := wire.ParseEthernet(f.Bytes); err == nil && eth.Type == wire.TypeARP && eth.Tags.Len() == 0 {
			at = append(at, f.At)
		}
	}
	return at
}

// told picks what tells of one failover: the frames that the aggregate sends in a row to
// announce itself, from the first on until it is about something else.
func told(frames []nstest.Frame, mac agg.MAC, vlan bool) (out []nstest.Frame) {
	for _, f := range frames {
		if agg.MAC(f.Bytes[6:12]) != mac {
			continue
		}
		eth, rest, err := wire.ParseEthernet(f.Bytes)
		switch {
		case err != nil || !announces(eth, rest):
			if len(out) > 0 {
				return out
			}
		case vlan || eth.Tags.Len() == 0:
			out = append(out, f)
		}
	}
	return out
}

// announces: ARP for the own address, an advertisement to all, reports of groups.
func announces(eth wire.Ethernet, rest []byte) bool {
	switch eth.Type {
	case wire.TypeARP:
		return slices.Equal(rest[14:18], rest[24:28])
	case wire.TypeIPv4:
		return rest[9] == byte(wire.ProtoIGMP)
	case wire.TypeIPv6:
		return rest[6] == 0 || rest[6] == byte(wire.ProtoICMPv6) && rest[40] == 136
	default:
		return false
	}
}

// rig is the host and the peer of the captures, joined by Yoke.
type rig struct {
	t          *testing.T
	here, peer *nstest.NS
	spec       agg.Spec
	engine     *engine.Engine
}

func newRig(t *testing.T, c capture, vlan bool) *rig {
	t.Helper()
	r := &rig{t: t, here: nstest.New(t), peer: nstest.New(t), spec: agg.Spec{Name: "bond0", Ports: []agg.PortSpec{{Name: "p0"}, {Name: "p1"}}}}
	for i, mac := range []agg.MAC{p0MAC, p1MAC} {
		name := "p" + string(rune('0'+i))
		// An ifindex that is its peer's too has its carrier noticed late.
		r.peer.Veth("spare"+name, r.peer, "spare"+name+"b")
		r.here.Veth(name, r.peer, "q"+string(rune('0'+i)))
		nstest.Command(t, r.here, "ip", "link", "set", name, "down", "address", mac.String())
	}
	r.peer.Bridge("br0", "q0", "q1")
	r.run(c)
	r.here.AddAddr("bond0", "192.0.2.1/24")
	nstest.Command(t, r.here, "ip", "addr", "add", "2001:db8::1/64", "dev", "bond0", "nodad")
	r.join("bond0")
	if vlan {
		nstest.Command(t, r.here, "ip", "link", "add", "link", "bond0", "name", "bond0.100", "up", "type", "vlan", "id", "100")
		nstest.Command(t, r.here, "ip", "addr", "add", "198.51.100.1/24", "dev", "bond0.100")
		nstest.Command(t, r.here, "ip", "addr", "add", "2001:db8:100::1/64", "dev", "bond0.100", "nodad")
		r.join("bond0.100")
	}
	return r
}

// join makes the interface a member of the captures' group until the test ends.
func (r *rig) join(name string) {
	r.t.Helper()
	index := r.here.Index(name)
	var fd int
	err := r.here.Run(func() (err error) {
		if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
		return unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP,
			&unix.IPMreqn{Multiaddr: netip.MustParseAddr("239.1.2.3").As4(), Ifindex: int32(index)})
	})
	r.must(err)
	r.t.Cleanup(func() { _ = unix.Close(fd) })
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// run makes the aggregate and looks after it until the test ends.
func (r *rig) run(c capture) {
	r.t.Helper()
	r.must(r.spec.Options.Set(agg.OfAggregate, "mode", "active-backup"))
	for name, value := range c.options {
		r.must(r.spec.Options.Set(agg.OfAggregate, name, value))
	}
	r.must(r.spec.Validate())
	config := r.spec.Config()
	var w engine.World
	var plane *ebpf.Plane
	var listener *rtnl.Listener
	var frames *afpacket.Sender
	r.must(r.here.Run(func() (err error) {
		if listener, err = rtnl.Open(); err != nil {
			return err
		}
		if frames, err = afpacket.NewSender(); err != nil {
			return err
		}
		plane, err = ebpf.Open(context.Background(), ebpf.Options{Name: "bond0", MAC: config.MAC, MTU: config.MTU, StateDir: r.t.TempDir(), Programs: ebpf.NewPrograms()})
		return err
	}))
	w = engine.World{Plane: plane, Links: links{listener}, Frames: frames, Stations: stations{r.here}, Clock: bootclock.Clock{}, Store: store{}}
	var err error
	r.engine, err = engine.New(r.spec, w, nil)
	r.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	r.here.Go(func() { ended <- r.engine.Run(ctx) })
	r.t.Cleanup(func() {
		cancel()
		r.must(<-ended)
		r.must(r.here.Run(func() error { return plane.Destroy(context.Background()) }))
		r.must(frames.Close())
		r.must(listener.Close())
	})
	r.must(r.engine.Ready(context.Background()))
	r.untilWorking("p0", "p1")
}

// untilWorking waits until the ports could carry.
func (r *rig) untilWorking(ports ...string) {
	r.t.Helper()
	nstest.Eventually(r.t, 20*time.Second, func() bool {
		s, err := r.engine.Status(context.Background())
		r.must(err)
		n := 0
		for _, p := range s.Ports {
			if slices.Contains(ports, p.Name) && p.Facts.Carrier {
				n++
			}
		}
		return n == len(ports) && s.Plan.InForce
	}, "%v to work", ports)
}

// untilSilent waits until nothing was announced for longer than the kernel's own reports
// of new groups are apart.
func (r *rig) untilSilent(captures ...*nstest.Capture) {
	r.t.Helper()
	const pause = 2 * time.Second
	count := func() (n int) {
		for _, c := range captures {
			for _, f := range c.Frames() {
				if f.Bytes[6] == 2 && f.Bytes[10] == 1 {
					n++
				}
			}
		}
		return n
	}
	known, since := count(), time.Now()
	nstest.Eventually(r.t, 60*time.Second, func() bool {
		if n := count(); n != known {
			known, since = n, time.Now()
		}
		return time.Since(since) > pause
	}, "the aggregate to fall silent")
}

// set changes an option.
func (r *rig) set(name, value string) {
	r.t.Helper()
	next := r.spec.Clone()
	r.must(next.Options.Set(agg.OfAggregate, name, value))
	r.must(r.engine.Update(context.Background(), next))
	r.spec = next
}

// The parts of a daemon's world.
type (
	store    struct{}
	links    struct{ listener *rtnl.Listener }
	stations struct{ ns *nstest.NS }
)

func (store) Save(engine.Saved) error { return nil }

func (s stations) Stations(_ context.Context, aggregate string) (out []agg.Station, err error) {
	err = s.ns.Run(func() (err error) {
		out, err = device.Stations(aggregate)
		return err
	})
	return out, err
}

func (l links) Read(ctx context.Context, names []string) ([]agg.LinkFacts, error) {
	return l.listener.ReadFacts(ctx, names)
}

func (l links) Remember(name string, index int) { l.listener.Remember(name, index) }

func (l links) Subscribe(s engine.Subscription) (wake <-chan struct{}, cancel func()) {
	return l.listener.Subscribe(s.Names, s.Poll, s.Adapt, s.UseCarrier)
}
