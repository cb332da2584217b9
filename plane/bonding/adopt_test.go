package bonding

import (
	"context"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
	"github.com/yokelag/yoke/internal/nstest"
)

var _ engine.Plane = (*Plane)(nil)

// A bond that ip made, with ports, addresses and traffic, is adopted: nothing of it
// changes, no frame is lost, and `ip monitor` has nothing to say. Taken apart, it is gone.
func TestAdopt(t *testing.T) {
	s := newSite(t)
	ip := func(ns *nstest.NS, words string) { nstest.Command(t, ns, "ip", strings.Fields(words)...) }
	for _, p := range []string{"p0", "p1"} {
		s.host.SetDown(p)
	}
	ip(s.host, "link add bond0 type bond mode active-backup miimon 100 updelay 200 num_grat_arp 3 xmit_hash_policy layer2+3")
	ip(s.host, "link set p0 master bond0")
	ip(s.host, "link set p1 master bond0")
	ip(s.host, "link set bond0 mtu 1400 up")
	ip(s.far, "link add br0 type bridge mcast_snooping 0")
	for _, q := range []string{"q0", "q1"} {
		ip(s.far, "link set "+q+" master br0 up")
	}
	s.host.AddAddr("bond0", "192.0.2.1/24")
	s.far.AddAddr("br0", "192.0.2.2/24")
	s.far.SetUp("br0")
	index := s.index("bond0")
	nstest.Eventually(t, 20*time.Second, func() bool {
		st := s.read(index)
		return len(st.Ports) == 2 && st.Ports[0].Link == "up" && st.Ports[1].Link == "up" && st.Carrier
	}, "both ports to be up")
	s.host.MustPing("192.0.2.2")
	before := s.read(index)
	first, second := "p0", "p1" // whichever the driver chose
	if before.Options["active_slave"] == itoa(s.index("p1")) {
		first, second = second, first
	}

	stream := nstest.StartUDP(t, s.host, s.far, "192.0.2.1", "192.0.2.2", time.Millisecond)
	stream.WaitReceived(300)
	heard := &journal{}
	monitor := exec.Command("ip", "monitor", "link")
	monitor.Stdout = heard
	s.host.Start(monitor)
	quiet := s.hears(heard)

	state := t.TempDir()
	plan := agg.Plan{
		Generation: 1, Mode: agg.ActiveBackup, Select: agg.SelectFixed, Multicast: agg.NoPort, Carrier: true,
		MAC: before.MAC, MTU: before.MTU, Table: []agg.Choice{{First: 0, Second: 1}},
		Ports: []agg.PlanPort{
			{Name: first, Index: s.index(first), Transmit: true, Receive: true}, {Name: second, Index: s.index(second), Order: 1},
		},
	}
	var p *Plane
	s.must(s.host.Run(func() (err error) {
		if p, err = Open(context.Background(), Options{Name: "bond0", StateDir: state}); err != nil {
			return err
		}
		for range 2 {
			if err := p.Apply(context.Background(), plan); err != nil {
				return err
			}
			f, err := p.Observe(context.Background())
			if err != nil {
				return err
			}
			if f.Published == nil || !f.Published.Equal(plan) || len(f.Ports) != 2 || !f.Ports[0].Carrier {
				t.Errorf("%+v", f)
			}
		}
		return nil
	}))
	stream.WaitReceived(300)
	if r := stream.Stop(); r.Lost != 0 {
		t.Errorf("the stream: %+v", r)
	}
	if after := s.read(index); after.Options["updelay"] != "200" || !sameBond(after, before) {
		t.Errorf("adopted:\n%+v, was\n%+v", after, before)
	}
	s.hears(heard)
	for line := range strings.Lines(heard.String()[quiet:]) {
		if strings.Contains(line, "bond0") || strings.Contains(line, "p0") || strings.Contains(line, "p1") {
			t.Errorf("ip monitor: %s", line)
		}
	}
	// The other port is made active when the plan says so.
	plan.Generation, plan.Table[0] = 2, agg.Choice{First: 1, Second: 0}
	plan.Ports[0].Transmit, plan.Ports[0].Receive, plan.Ports[1].Transmit, plan.Ports[1].Receive = false, false, true, true
	s.must(s.host.Run(func() error { return p.Apply(context.Background(), plan) }))
	if got := s.read(index).Options["active_slave"]; got != itoa(s.index(second)) {
		t.Errorf("active is %s", got)
	}
	s.must(s.host.Run(func() error { return p.Destroy(context.Background()) }))
	if s.host.Has("bond0") {
		t.Error("bond0 is still there")
	}
}

// journal is what a program says, safe to read while it does.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// hears makes changes until the monitor shows a new one, so that it has shown all before it,
// and then waits until it says nothing more for a second: what the driver tells of a bond
// that has just come up comes in the tenths of one. It returns how much was said by then.
func (s *site) hears(heard *journal) (said int) {
	s.t.Helper()
	before := len(heard.String())
	nstest.Eventually(s.t, 20*time.Second, func() bool {
		nstest.Command(s.t, s.host, "ip", "link", "add", "spare0", "type", "dummy")
		s.host.Delete("spare0")
		return strings.Contains(heard.String()[before:], "spare0")
	}, "the monitor to hear")
	nstest.Eventually(s.t, 20*time.Second, func() bool {
		said = len(heard.String())
		time.Sleep(time.Second)
		return len(heard.String()) == said
	}, "the monitor to be silent")
	return said
}

func sameBond(a, b State) bool {
	if a.MAC != b.MAC || a.MTU != b.MTU || a.Up != b.Up || len(a.Ports) != len(b.Ports) {
		return false
	}
	for name, v := range b.Options {
		if a.Options[name] != v {
			return false
		}
	}
	return true
}
