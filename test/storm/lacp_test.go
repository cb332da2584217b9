package storm

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/lab"
	"github.com/yokelag/yoke/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

// partner is who the other end of a storm in mode 802.3ad is, and how long it may take.
type partner struct {
	name string
	// file is the lab, of which only the plane is open.
	file string
	// within is how long after the last bounce both ends carry on all that works.
	within time.Duration
	// why are the timers that give that time.
	why string
	// ends are the hosts that run Yoke.
	ends []string
	// ovs: it is Open vSwitch, which forwards later than it says.
	ovs bool
}

func partners() []partner {
	const head = `version: 1
name: storm
hosts:
  a:
    aggregates: {bond0: {mode: 802.3ad, lacp_rate: fast, ports: [p1, p2, p3]}}
    addresses: {bond0: [10.77.0.1/24]}
  b:
`
	return []partner{
		{
			name: "Yoke", within: 300 * time.Millisecond, why: "neither end waits for a timer", ends: []string{"a", "b"},
			file: head + `    aggregates: {bond0: {mode: 802.3ad, lacp_rate: fast, ports: [p1, p2, p3]}}
    addresses: {bond0: [10.77.0.2/24]}
cables:
  c1: {ends: ["a:p1", "b:p1"]}
  c2: {ends: ["a:p2", "b:p2"]}
  c3: {ends: ["a:p3", "b:p3"]}
duration: 1s
`,
		},
		{
			name: "Open vSwitch", within: 4 * time.Second, ends: []string{"a"}, ovs: true,
			why: "it speaks every second, and gives a partner up after three",
			file: head + `    addresses: {eth0: [10.77.0.2/24]}
switches:
  s1: {kind: ovs, lacp_rate: fast, groups: {lag1: [c1, c2, c3]}}
cables:
  c1: {ends: ["a:p1", s1]}
  c2: {ends: ["a:p2", s1]}
  c3: {ends: ["a:p3", s1]}
  c4: {ends: ["b:eth0", s1]}
duration: 1s
`,
		},
	}
}

// The storm in the mode in which the founding fault was met, against another Yoke: the
// programs themselves, and cables that are bounced between them.
func TestStormOfLACP(t *testing.T) {
	nstest.Require(t, "root", "veth", "bpf", "bpffs")
	lagStorms(t, partners()[0])
}

// The same against Open vSwitch.
func TestStormOfLACPWithOpenVSwitch(t *testing.T) {
	nstest.Require(t, "root", "veth", "bpf", "bpffs", "tun", "program:ovs-vswitchd", "program:ovsdb-server", "program:ovs-vsctl", "program:ovs-appctl")
	lagStorms(t, partners()[1])
}

// lagStorms runs a number of storms, so many at a time.
func lagStorms(t *testing.T, p partner) {
	t.Helper()
	if os.Getenv("STORM_BOUNCES") == "" {
		t.Parallel() // the short form
	}
	first, seeds, bounces := number(t, "STORM_SEED", 0), number(t, "STORM_SEEDS", 2), number(t, "STORM_BOUNCES", 25)
	programs := rig.Programs(t)
	limit := make(chan struct{}, number(t, "STORM_AT_ONCE", 5))
	var mu sync.Mutex
	var sum lagTally
	var storms sync.WaitGroup
	for seed := first; seed < first+seeds; seed++ {
		storms.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			s := &lagStorm{partner: p, t: t, programs: programs, seed: seed, random: rand.New(rand.NewPCG(uint64(seed), 2)), out: map[string]string{}}
			err := s.run(bounces)
			mu.Lock()
			defer mu.Unlock()
			sum.add(s.tally)
			if err != nil {
				t.Errorf("partner %s, seed %d: after %d bounces: %v\nthe same bounces again: STORM_SEED=%d STORM_SEEDS=1 STORM_BOUNCES=%d go test -run '^%s$' ./test/storm\n%s",
					p.name, seed, s.tally.bounces, err, seed, bounces, t.Name(), s.log.String())
			}
		})
	}
	storms.Wait()
	t.Logf("partner %s, %d storms of %d bounces: %s; the bound is %v: %s", p.name, seeds, bounces, sum, p.within, p.why)
}

// lagTally is what storms were like.
type lagTally struct {
	bounces, checks, late, frames, lost int
	latest, reached                     time.Duration
}

func (t *lagTally) add(o lagTally) {
	t.bounces += o.bounces
	t.checks += o.checks
	t.late += o.late
	t.frames += o.frames
	t.lost += o.lost
	t.latest = max(t.latest, o.latest)
	t.reached = max(t.reached, o.reached)
}

func (t lagTally) String() string {
	return fmt.Sprintf("%d bounces, %d times of quiet, the latest plan came %v after the last bounce, %d came too late, %d frames, %d lost before the partner forwarded, which took it %v at most",
		t.bounces, t.checks, t.latest.Round(time.Millisecond), t.late, t.frames, t.lost, t.reached.Round(time.Millisecond))
}

// lagStorm is one lab, and what happens to its cables.
type lagStorm struct {
	partner
	t        *testing.T
	programs string
	seed     int
	random   *rand.Rand
	lab      *lab.Lab
	log      bytes.Buffer
	// out are the ports out of order, with how.
	out   map[string]string
	quiet agg.Instant // when the last bounce was over
	tally lagTally
}

func (s *lagStorm) run(bounces int) (err error) {
	file, err := lab.Parse("storm", []byte(s.file))
	if err != nil {
		return err
	}
	plane := []string{"ebpf", "user"}[s.seed%2]
	s.lab, err = lab.Build(s.t.Context(), file, lab.Options{Yoked: filepath.Join(s.programs, "yoked"), Plane: plane, Log: &s.log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.lab.Close()) }()
	for done := 0; done < bounces; done += stretch {
		if err := s.rage(min(stretch, bounces-done)); err != nil {
			return err
		}
		for _, step := range []func() error{s.takeSomeOut, s.judge, s.comeBack, s.judge} {
			if err := step(); err != nil {
				return err
			}
		}
	}
	return nil
}

func ports() []string { return []string{"p1", "p2", "p3"} }

// cable is that of a port.
func cable(port string) string { return "c" + port[1:] }

// rage bounces one port after the other, and now and then two at once.
func (s *lagStorm) rage(bounces int) error {
	for range bounces {
		order := s.random.Perm(3)
		first, second := s.bounce(ports()[order[0]]), s.bounce(ports()[order[1]])
		s.tally.bounces++
		if s.random.IntN(8) > 0 {
			if err := first(); err != nil {
				return err
			}
			continue
		}
		var both sync.WaitGroup
		var errs [2]error
		both.Go(func() { errs[0] = first() })
		both.Go(func() { errs[1] = second() })
		both.Wait()
		if err := errors.Join(errs[:]...); err != nil {
			return err
		}
	}
	return nil
}

// bounce draws one thing that happens to a port. It takes as long as a carrier is gone while
// the channels or buffers of a card are changed, up to a quarter of a second.
func (s *lagStorm) bounce(port string) func() error {
	pause := time.Millisecond + time.Duration(s.random.Int64N(int64(249*time.Millisecond)))
	what, host := s.random.IntN(5), s.ends[s.random.IntN(len(s.ends))]
	mac := net.HardwareAddr{2, 0xbe, 0, 0, byte(s.seed), byte(s.random.IntN(256))}
	wait := func() error { time.Sleep(pause); return nil }
	pull, plug := s.fault(lab.Pull, port), s.fault(lab.Plug, port)
	return func() error {
		switch what {
		case 0:
			return inTurn(pull, wait, plug)
		case 1:
			return inTurn(s.down(host, port), wait, s.up(host, port))
		case 2:
			return inTurn(s.fault(lab.Remove, port), wait, s.fault(lab.Insert, port))
		case 3: // a link that comes for a moment, and then for good
			return inTurn(pull, wait, plug, wait, pull, plug)
		default:
			return inTurn(s.address(host, port, mac), pull, wait, plug)
		}
	}
}

func (s *lagStorm) fault(do lab.Action, port string) func() error {
	return func() error {
		_, err := s.lab.Cause(s.t.Context(), lab.Fault{Do: do, Cable: cable(port)})
		return err
	}
}

// down sets a port down. A cable of the lab is longer than that: at its other end the carrier
// would stay, so it is pulled too.
func (s *lagStorm) down(host, port string) func() error {
	return func() error { return inTurn(s.admin(host, port, false), s.fault(lab.Pull, port)) }
}

func (s *lagStorm) up(host, port string) func() error {
	return func() error { return inTurn(s.admin(host, port, true), s.fault(lab.Plug, port)) }
}

func (s *lagStorm) admin(host, port string, up bool) func() error {
	return s.link(host, port, func(l netlink.Link) error {
		if up {
			return netlink.LinkSetUp(l)
		}
		return netlink.LinkSetDown(l)
	})
}

func (s *lagStorm) address(host, port string, mac net.HardwareAddr) func() error {
	return s.link(host, port, func(l netlink.Link) error { return netlink.LinkSetHardwareAddr(l, mac) })
}

func (s *lagStorm) link(host, port string, f func(netlink.Link) error) func() error {
	return func() error {
		return s.lab.Inside(host, func() error {
			l, err := netlink.LinkByName(port)
			if err != nil {
				return err
			}
			return f(l)
		})
	}
}

// takeSomeOut leaves none, one or two of the ports out of order, in one of three ways.
func (s *lagStorm) takeSomeOut() error {
	for _, i := range s.random.Perm(3)[:s.random.IntN(3)] {
		port := ports()[i]
		s.out[port] = []string{"pulled", "down", "removed"}[s.random.IntN(3)]
		err := map[string]func() error{
			"pulled": s.fault(lab.Pull, port), "down": s.down("a", port), "removed": s.fault(lab.Remove, port),
		}[s.out[port]]()
		if err != nil {
			return err
		}
	}
	s.quiet = bootclock.Clock{}.Now()
	return nil
}

func (s *lagStorm) comeBack() error {
	for port, how := range s.out {
		err := map[string]func() error{
			"pulled": s.fault(lab.Plug, port), "down": s.up("a", port), "removed": s.fault(lab.Insert, port),
		}[how]()
		if err != nil {
			return err
		}
	}
	clear(s.out)
	s.quiet = bootclock.Clock{}.Now()
	return nil
}

// judge waits until all ends carry on exactly the ports that work, and wants that to have
// been so in time; then frames must pass both ways, by each of these ports.
func (s *lagStorm) judge() error {
	s.tally.checks++
	const patience = 15 * time.Second // a port that is left out for ever is left out for longer
	for _, host := range s.ends {
		status, err := s.settled(host, patience)
		if err != nil {
			return err
		}
		took := status.Plan.PublishedAt.Sub(s.quiet)
		s.tally.latest = max(s.tally.latest, took)
		if took > s.within {
			s.tally.late++
			if os.Getenv("STORM_STRICT") != "" {
				return fmt.Errorf("%s had its plan %v after the last bounce, and %v is the bound (%s): %s", host, took, s.within, s.why, status.Summary)
			}
		}
	}
	return s.frames()
}

// settled waits until the aggregate of a host does what follows from its ports.
func (s *lagStorm) settled(host string, patience time.Duration) (status agg.Status, err error) {
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		status, err = s.lab.Status(s.t.Context(), host, "bond0")
		if err != nil {
			return status, err
		}
		if s.right(status) {
			return status, nil
		}
		if time.Since(start) > patience {
			return status, fmt.Errorf("%v after the last bounce, with %v out of order, %s says: %s; shares %v", patience, s.out, host, status.Summary, status.Plan.Shares)
		}
	}
}

// right reports whether exactly the ports that work carry, and have the buckets.
func (s *lagStorm) right(status agg.Status) bool {
	for _, p := range status.Ports {
		_, out := s.out[p.Name]
		if p.Carrying == out || (status.Plan.Shares[p.Name] > 0) == out {
			return false
		}
	}
	return status.Plan.InForce && status.Device.Carrier == (len(s.out) < 3)
}

// frames sends some both ways by all ports that work. A partner that forwards in user space
// needs a while after it has said that it collects; then nothing may be lost there either.
func (s *lagStorm) frames() error {
	for _, port := range ports() { // the kernel may send by a cable later than it shows its carrier
		if _, out := s.out[port]; out {
			continue
		}
		if err := s.lab.WaitPlugged(s.t.Context(), cable(port)); err != nil {
			return err
		}
	}
	before := s.counts()
	for start := time.Now(); ; {
		lost := 0
		for from, to := range map[string]string{"a": "b", "b": "a"} {
			address := map[string]string{"a": "10.77.0.1", "b": "10.77.0.2"}[to]
			p, err := s.lab.StartProbe(from+" to "+to, lab.Probe{From: from, To: to, Address: address, Rate: 1000, Size: 32, Flows: 64}, 200*time.Millisecond)
			if err != nil {
				return err
			}
			<-p.Done()
			got := p.Stop(nil)
			s.tally.frames += got.Received
			lost += got.Lost
		}
		if lost == 0 {
			if s.ovs {
				s.tally.reached = max(s.tally.reached, time.Since(start))
			}
			break
		}
		s.tally.lost += lost
		if !s.ovs || time.Since(start) > s.within {
			return fmt.Errorf("%d frames lost with %v out of order", lost, s.out)
		}
	}
	after := s.counts()
	// 200 frames of 64 flows by at most three ports: a port has fewer than seven, which is two
	// flows, once in three hundred million times.
	for _, port := range ports() {
		if _, out := s.out[port]; !out && after[port] < before[port]+7 {
			return fmt.Errorf("%s sent %d frames of some 64 flows, with %v out of order", port, after[port]-before[port], s.out)
		}
	}
	return nil
}

// counts are the frames that left by each port of a.
func (s *lagStorm) counts() map[string]uint64 {
	counts := map[string]uint64{}
	_ = s.lab.Inside("a", func() error {
		for _, port := range ports() {
			if l, err := netlink.LinkByName(port); err == nil && l.Attrs().Statistics != nil { // one that is gone sends nothing
				counts[port] = l.Attrs().Statistics.TxPackets
			}
		}
		return nil
	})
	return counts
}
