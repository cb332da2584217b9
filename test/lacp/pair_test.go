package lacp

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

// newPair is two hosts, joined by cables between ports of the same name, and yoked on
// each. Both have bond0 in mode 802.3ad with the words, at 192.0.2.1 and .2.
func newPair(t *testing.T, plane string, ports int, words ...string) (a, b *rig.Rig) {
	t.Helper()
	a, b = hosts(t, plane, ports)
	for i, r := range []*rig.Rig{a, b} {
		r.Start()
		line := append([]string{"up", "bond0", "plane=" + plane, "mode=802.3ad"}, words...)
		r.Must(append(line, names(ports)...)...)
		r.Here.AddAddr("bond0", fmt.Sprintf("192.0.2.%d/24", i+1))
		r.Here.SetUp("bond0")
	}
	a.WaitCarrying(ports)
	b.WaitCarrying(ports)
	for i, r := range []*rig.Rig{a, b} {
		nstest.Command(t, r.Here, "ip", "neigh", "replace", fmt.Sprintf("192.0.2.%d", 2-i),
			"lladdr", r.There.MAC("bond0").String(), "dev", "bond0")
	}
	a.Here.MustPing(rig.ThereAddr)
	return a, b
}

func hosts(t *testing.T, plane string, ports int) (a, b *rig.Rig) {
	t.Helper()
	features := []string{}
	if plane == "ebpf" {
		features = []string{"bpf", "bpffs"}
	}
	a = rig.NewHost(t, features...)
	b = &rig.Rig{T: t, Here: a.There, There: a.Here, Bin: a.Bin, Dir: nstest.StateDir(t), Log: &rig.Journal{}}
	a.There.Veth("spare1", a.There, "spare2") // as in rig.New
	for _, name := range names(ports) {
		a.Here.Veth(name, a.There, name)
	}
	return a, b
}

func names(ports int) []string {
	var out []string
	for i := range ports {
		out = append(out, fmt.Sprintf("eth%d", i+1))
	}
	return out
}

// planes runs a test on each plane that has frames.
func planes(t *testing.T, f func(t *testing.T, plane string)) {
	for _, plane := range []string{"ebpf", "user"} {
		t.Run(plane, func(t *testing.T) { f(t, plane) })
	}
}

// lastSeq is the number of the newest event.
func lastSeq(r *rig.Rig) int { return len(events(r)) }

// events are the lines of the log that tell transitions of LACP or of the carrier.
func events(r *rig.Rig) []string {
	var out []string
	for line := range strings.Lines(r.Log.String()) {
		if strings.Contains(line, "kind=lacp") || strings.Contains(line, "kind=carrier") {
			out = append(out, line)
		}
	}
	return out
}

// Two daemons agree on both ports, and traffic passes.
func TestTwoDaemonsAggregate(t *testing.T) {
	planes(t, func(t *testing.T, plane string) {
		a, b := newPair(t, plane, 2)
		x, y := a.Status(), b.Status()
		if x.LACP.Partner != y.LACP.System || y.LACP.Partner != x.LACP.System || x.LACP.Ports != 2 {
			t.Errorf("%+v and %+v", x.LACP, y.LACP)
		}
		for _, p := range x.Ports {
			if p.LACP.Mux != "DISTRIBUTING" || p.LACP.Partner.System != y.LACP.System {
				t.Errorf("%s: %+v", p.Name, p.LACP)
			}
		}
	})
}

// A cable that is cut and comes back costs its port and no more.
func TestCableCut(t *testing.T) {
	planes(t, func(t *testing.T, plane string) {
		a, b := newPair(t, plane, 2, "lacp_rate=fast")
		a.Here.SetDown("eth1")
		for _, r := range []*rig.Rig{a, b} {
			r.WaitCarrying(1)
		}
		a.Here.MustPing(rig.ThereAddr)
		a.Here.SetUp("eth1")
		for _, r := range []*rig.Rig{a, b} {
			r.WaitCarrying(2)
		}
		a.Here.MustPing(rig.ThereAddr)
	})
}

// What one end sends by a cable is lost: both ends stop using it, and say why.
func TestOneWayLoss(t *testing.T) {
	planes(t, func(t *testing.T, plane string) {
		a, b := newPair(t, plane, 2, "lacp_rate=fast")
		heal := deafen(t, b, "eth2")
		for _, r := range []*rig.Rig{a, b} {
			s := r.WaitFor(func(s agg.Status) bool { return s.Carrying == 1 && s.Plan.InForce }, "the deaf cable to be left")
			if !s.Ports[0].Carrying || !strings.HasPrefix(s.Ports[1].Reason, "lacp-") {
				t.Errorf("%s", s.Summary)
			}
		}
		a.Here.MustPing(rig.ThereAddr)
		heal()
		for _, r := range []*rig.Rig{a, b} {
			r.WaitCarrying(2)
		}
	})
}

// deafen has a port of the host receive no LACPDUs, as a broken fibre would, until it is
// healed.
func deafen(t *testing.T, r *rig.Rig, port string) (heal func()) {
	t.Helper()
	nstest.Command(t, r.Here, "tc", "qdisc", "replace", "dev", port, "clsact")
	nstest.Command(t, r.Here, "tc", "filter", "add", "dev", port, "ingress", "pref", "1", "bpf", "da", "bytecode", "1,6 0 0 2") // every frame is dropped
	return func() {
		t.Helper()
		nstest.Command(t, r.Here, "tc", "filter", "del", "dev", port, "ingress", "pref", "1")
	}
}

// Ports come and go by command; the partner follows without an error.
func TestAddAndRemove(t *testing.T) {
	planes(t, func(t *testing.T, plane string) {
		a, b := newPair(t, plane, 2)
		a.Must("remove", "bond0", "eth2")
		b.WaitCarrying(1)
		a.Here.MustPing(rig.ThereAddr)
		if out := groups(t, a, "eth2"); strings.Contains(out, "0180c2000002") {
			t.Errorf("a port that was removed still receives the group address:\n%s", out)
		}
		a.Must("add", "bond0", "eth2")
		for _, r := range []*rig.Rig{a, b} {
			r.WaitCarrying(2)
		}
		a.Must("down", "bond0")
		if out := groups(t, a, "eth1"); strings.Contains(out, "0180c2000002") {
			t.Errorf("a port of an aggregate that is gone still receives the group address:\n%s", out)
		}
		b.WaitFor(func(s agg.Status) bool { return !s.Device.Carrier }, "the carrier to go with the partner")
	})
}

// groups is what ip maddr lists of a port.
func groups(t *testing.T, r *rig.Rig, port string) string {
	t.Helper()
	var out strings.Builder
	r.Here.Do(func() { out.WriteString(readGroups(t, port)) })
	return out.String()
}

// A killed daemon's port goes on receiving the group address, and the next daemon goes on
// within the partner's time: the partner sees no change.
func TestKilledDaemonResumes(t *testing.T) {
	planes(t, func(t *testing.T, plane string) {
		a, b := newPair(t, plane, 2)
		before := lastSeq(b)
		a.Kill()
		if out := groups(t, a, "eth1"); !strings.Contains(out, "0180c2000002") {
			t.Errorf("the group address went with the daemon:\n%s", out)
		}
		a.Start()
		a.WaitCarrying(2)
		a.Here.MustPing(rig.ThereAddr)
		if now := events(b)[before:]; len(now) != 0 {
			t.Errorf("the partner saw:\n%s", strings.Join(now, ""))
		}
		nstest.Eventually(t, 5*time.Second, func() bool { return strings.Contains(a.Log.String(), "2 of 2 ports as they were") }, "the machines to go on")
	})
}

func readGroups(t *testing.T, port string) string {
	t.Helper()
	text, err := os.ReadFile("/proc/thread-self/net/dev_mcast")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) == 5 && words[1] == port {
			out.WriteString(line)
		}
	}
	return out.String()
}
