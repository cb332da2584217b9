package lacp

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/lab"
	"github.com/yokelag/yoke/test/rig"
)

// unequal is two ways to another host, of which c1 is 5 ms longer and carries 100 Mb/s.
const unequal = `version: 1
name: unequal
hosts:
  a:
    aggregates:
      bond0: {mode: 802.3ad, lacp_rate: fast, ports: [p1, p2]}
    addresses:
      bond0: [10.77.0.1/24]
%s
duration: 1s
faults:
  - {do: delay, cable: c1, delay: 5ms}
  - {do: rate, cable: c1, rate: 100}
`

const (
	toYoke = `
  b:
    aggregates:
      bond0: {mode: 802.3ad, lacp_rate: fast, ports: [p1, p2]}
    addresses:
      bond0: [10.77.0.2/24]
cables:
  c1: {ends: ["a:p1", "b:p1"]}
  c2: {ends: ["a:p2", "b:p2"]}`
	toSwitch = `
  b:
    addresses:
      eth0: [10.77.0.2/24]
switches:
  s1: {kind: %s, lacp_rate: fast%s, groups: {lag1: [c1, c2]}}
cables:
  c1: {ends: ["a:p1", s1]}
  c2: {ends: ["a:p2", s1]}
  c3: {ends: ["b:eth0", s1]}`
)

// orderRate is the stream's in frames a second: 20,000 in the full form, and what a machine
// can do that has other work elsewhere.
func orderRate(t *testing.T) int {
	t.Helper()
	if text := os.Getenv("LACP_RATE"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1250 || n > 20000 {
			t.Fatalf("LACP_RATE=%q is no rate of 1250 to 20000 frames a second", text)
		}
		return n
	}
	if os.Getenv("YOKE_FULL") != "" {
		return 20000
	}
	return 5000
}

// tries is how often a run with frames out of order is made again. A way that stands still for
// longer than the pause in which traffic moves turns frames round by itself, and so does a machine
// that gives a flow no pause within drain_timeout; one with other work has both.
const tries = 5

// bursty is a stream whose flows pause: each sends 20 frames 0.8 ms apart, and then nothing
// for 240 ms. So on the longer way several frames of a flow are under way at once.
func bursty(rate int) lab.Probe {
	together := rate / 1250
	return lab.Probe{From: "a", To: "b", Address: "10.77.0.2", Rate: rate, Size: 32, Flows: 16 * together, Burst: 20, AtOnce: together}
}

// A port is removed and added again, on each of two unequal ways, under a stream of numbered
// frames. Nothing is lost, doubled, or out of order within a flow, whether the partner
// answers Markers or not, in one run of a few; see tries. Without the drain the same run has frames
// out of order.
//
// Open vSwitch says that it collects before it does: until its datapath has heard of the
// member, what comes by it is dropped there. What it drops so, when a port is added, is
// reported and not judged. It forwards in user space, and drops what it has no time for, so
// its stream is slow, and a loss of it counts in the full form only.
func TestOrderOnUnequalWays(t *testing.T) {
	for _, c := range []struct {
		name, partner string
		programs      []string
		drain         string
		ovs           bool
	}{
		{name: "Yoke", partner: toYoke, drain: "1s"},
		{name: "a switch that answers no Markers", partner: fmt.Sprintf(toSwitch, "lacp", ", ignore_markers: true"), drain: "1s"},
		{name: "Open vSwitch", partner: fmt.Sprintf(toSwitch, "ovs", ""), drain: "1s", ovs: true,
			programs: []string{"tun", "program:ovs-vswitchd", "program:ovsdb-server", "program:ovs-vsctl", "program:ovs-appctl"}},
		{name: "without the drain", partner: toYoke, drain: "0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			nstest.Require(t, append([]string{"root", "veth", "bpf", "bpffs"}, c.programs...)...)
			file, err := lab.Parse("unequal", fmt.Appendf(nil, unequal, c.partner))
			if err != nil {
				t.Fatal(err)
			}
			s := stand(t, file, "ebpf")
			s.waitShared()
			for _, f := range file.Faults {
				s.cause(f)
			}
			s.yoke("set", "bond0", "drain_timeout="+c.drain)
			probe := bursty(orderRate(t))
			if c.ovs {
				probe = bursty(1250)
			}
			var got lab.Stream
			for range tries {
				got = s.moveAround(probe, c.ovs)
				if c.drain == "0" && got.Reordered > 0 || c.drain != "0" && (got.Reordered == 0 || !c.ovs && got.Lost+got.Duplicates > 0) {
					break // without the drain a move between two bursts turns nothing round
				}
			}
			if c.ovs && os.Getenv("YOKE_FULL") == "" {
				got.Lost = 0
			}
			switch {
			case c.drain == "0" && got.Reordered == 0:
				t.Error("nothing was out of order: this test proves nothing")
			case c.drain != "0" && (got.Lost != 0 || got.Duplicates != 0 || got.Reordered != 0):
				t.Errorf("%d lost, %d doubled, %d out of order; softnet: %s", got.Lost, got.Duplicates, got.Reordered, rig.Softnet())
			}
			if c.partner == toYoke {
				s.partnerCounts()
			}
		})
	}
}

// moveAround removes each port and adds it again, and tells what became of the frames. What
// is lost when a port is added counts only where apart is not set.
func (s *standing) moveAround(probe lab.Probe, apart bool) (sum lab.Stream) {
	s.t.Helper()
	turns := func() { time.Sleep(500 * time.Millisecond) } // two of all flows
	var stream *lab.Probing
	start := func() {
		var err error
		if stream, err = s.StartProbe("numbered", probe, time.Minute); err != nil {
			s.t.Fatal(err)
		}
	}
	stop := func(what string) lab.Stream {
		got := stream.Stop(nil)
		s.t.Logf("%s: %d of %d frames lost, %d doubled, %d out of order, longest gap %v", what, got.Lost, got.Sent, got.Duplicates, got.Reordered, got.LongestGap)
		sum.Lost, sum.Duplicates, sum.Reordered = sum.Lost+got.Lost, sum.Duplicates+got.Duplicates, sum.Reordered+got.Reordered
		return got
	}
	for _, port := range []string{"p1", "p2"} {
		start()
		turns()
		began := time.Now()
		s.yoke("remove", "bond0", port)
		took := time.Since(began).Round(time.Millisecond)
		s.waitCarrying(1)
		turns()
		if apart {
			stop("remove " + port)
			start()
		}
		s.yoke("add", "bond0", port)
		s.waitShared()
		turns()
		got := stop(fmt.Sprintf("%s, removed within %v and added", port, took))
		if apart {
			sum.Lost -= got.Lost
		}
	}
	return sum
}

// partnerCounts wants every Marker answered by the partner of a.
func (s *standing) partnerCounts() {
	s.t.Helper()
	v, err := s.Status(s.t.Context(), "b", "bond0")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range v.Ports {
		s.t.Logf("%s of the partner: %d Markers, %d answers", p.Name, p.LACP.Counters["rx_marker"], p.LACP.Counters["tx_marker_response"])
		if p.LACP.Counters["rx_marker"] != p.LACP.Counters["tx_marker_response"] {
			s.t.Errorf("%s: the partner counts %v", p.Name, p.LACP.Counters)
		}
	}
}

// waitShared waits until both ports carry, each its half of the buckets.
func (s *standing) waitShared() {
	s.t.Helper()
	s.waitFor(func(v agg.Status) bool {
		return v.Carrying == 2 && v.Plan.InForce && v.Plan.Shares["p1"] == 128 && v.Plan.Shares["p2"] == 128
	}, "both ports to have their buckets")
}

// yoke runs the command in host a.
func (s *standing) yoke(words ...string) {
	s.t.Helper()
	line := append([]string{filepath.Join(rig.Programs(s.t), "yoke")}, words...)
	if out, err := s.Command(s.t.Context(), "a", line...); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
}

// Only one port may carry, and the one on the short way is the better. When its cable comes
// back it takes the traffic from the other, and no frame overtakes those on the long way.
func TestOrderWhenABetterPortComesBack(t *testing.T) {
	nstest.Require(t, "root", "veth", "bpf", "bpffs")
	// updelay: a busy kernel sends by a cable some time after it has shown its carrier.
	one := strings.Replace(unequal, "ports: [p1, p2]", "updelay: 500ms, max_links: 1, ad_actor_sys_prio: 1, ports: {p1: {}, p2: {actor_port_prio: 1}}", 1)
	file, err := lab.Parse("unequal", fmt.Appendf(nil, one, toYoke))
	if err != nil {
		t.Fatal(err)
	}
	s := stand(t, file, "ebpf")
	for _, f := range file.Faults {
		s.cause(f)
	}
	alone := func(port string) {
		s.waitFor(func(v agg.Status) bool { return v.Plan.InForce && v.Plan.Shares[port] == 256 && v.Carrying == 1 }, port+" to carry alone")
	}
	alone("p2")
	var got lab.Stream
	for range tries {
		s.cause(lab.Fault{Do: lab.Pull, Cable: "c2"})
		alone("p1")
		stream, err := s.StartProbe("numbered", bursty(orderRate(t)), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
		s.cause(lab.Fault{Do: lab.Plug, Cable: "c2"})
		alone("p2")
		time.Sleep(500 * time.Millisecond)
		got = stream.Stop(nil)
		t.Logf("%d of %d frames lost, %d doubled, %d out of order, longest gap %v", got.Lost, got.Sent, got.Duplicates, got.Reordered, got.LongestGap)
		if got.Reordered == 0 || got.Lost+got.Duplicates > 0 {
			break
		}
	}
	if got.Lost != 0 || got.Duplicates != 0 || got.Reordered != 0 {
		t.Errorf("%+v; softnet: %s", got, rig.Softnet())
	}
	s.partnerCounts()
}
