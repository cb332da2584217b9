package lacp

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/lab"
	"github.com/yokelag/yoke/test/rig"
)

// standing is a lab that stands until the test ends, whose host a has bond0 with p1 and p2
// on the cables c1 and c2 to the switch s1.
type standing struct {
	*lab.Lab
	t *testing.T
}

func stand(t *testing.T, file *lab.File, plane string) *standing {
	t.Helper()
	var log bytes.Buffer
	l, err := lab.Build(t.Context(), file, lab.Options{Yoked: filepath.Join(rig.Programs(t), "yoked"), Plane: plane, Log: &log})
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log of the daemons:\n%s", log.String())
		}
	})
	return &standing{l, t}
}

func (s *standing) cause(f lab.Fault) {
	s.t.Helper()
	if _, err := s.Cause(s.t.Context(), f); err != nil {
		s.t.Fatal(err)
	}
}

// waitFor waits until the status of bond0 is as cond says.
func (s *standing) waitFor(cond func(agg.Status) bool, what string) (v agg.Status) {
	s.t.Helper()
	nstest.Eventually(s.t, 20*time.Second, func() bool {
		var err error
		if v, err = s.Status(context.Background(), "a", "bond0"); err != nil {
			s.t.Fatal(err)
		}
		return cond(v)
	}, "%s", what)
	return v
}

func (s *standing) waitCarrying(n int) agg.Status {
	s.t.Helper()
	return s.waitFor(func(v agg.Status) bool { return v.Carrying == n && v.Plan.InForce }, "the right number of ports to carry")
}

// flows tells by which cable each flow of a probe comes to the switch. It looks until all of
// them came and are as they should be, or patience ends; want may be nil.
func (s *standing) flows(p *lab.Probing, n int, want func(flow int) string) (m map[int]string) {
	s.t.Helper()
	right := func() bool {
		for flow, cable := range m {
			if want != nil && want(flow) != cable {
				return false
			}
		}
		return len(m) == n
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		var err error
		if m, err = s.FlowCables(s.t.Context(), p, []string{"c1", "c2"}, 500*time.Millisecond); err != nil {
			s.t.Fatal(err)
		}
		if right() {
			break
		}
	}
	return m
}

// On a switch that somebody else wrote, and on the lab's own: two ports aggregate and share
// the flows; a cable that is cut moves its own flows and no others, and gets them back; and
// when the switch forgets the group the carrier goes, and status says why.
func TestSwitchesOfTheLab(t *testing.T) {
	for _, name := range []string{"one-switch-ovs", "one-switch-lacp"} {
		t.Run(name, func(t *testing.T) {
			nstest.Require(t, "root", "veth", "bpf", "bpffs")
			if strings.HasSuffix(name, "ovs") {
				nstest.Require(t, "tun", "program:ovs-vswitchd", "program:ovsdb-server", "program:ovs-vsctl", "program:ovs-appctl")
			}
			file, err := lab.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			s := stand(t, file, "ebpf")
			s.waitShared()
			s.waitAgreed()
			out, err := s.StartProbe("flows", file.Probes["out"], time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			n := file.Probes["out"].Flows
			before := s.flows(out, n, nil)
			s.cause(lab.Fault{Do: lab.Pull, Cable: "c1"})
			s.waitCarrying(1)
			cut := s.flows(out, n, func(int) string { return "c2" })
			s.cause(lab.Fault{Do: lab.Plug, Cable: "c1"})
			s.waitShared()
			again := s.flows(out, n, func(flow int) string { return before[flow] })
			s.compare(before, cut, again)
			s.waitAgreed()
			out.Stop(nil)

			s.cause(lab.Fault{Do: lab.Ungroup, Switch: "s1", Group: "lag1"})
			v := s.waitFor(func(v agg.Status) bool { return !v.Device.Carrier && v.Carrying == 0 }, "the carrier to go with the partner")
			for _, p := range v.Ports {
				if !strings.HasPrefix(p.Reason, "lacp-") || !strings.Contains(p.Text, "heard") {
					t.Errorf("%s: %s: %s", p.Name, p.Reason, p.Text)
				}
			}
			t.Logf("status says: %s", v.Summary)
			s.cause(lab.Fault{Do: lab.Regroup, Switch: "s1", Group: "lag1"})
			s.waitCarrying(2)
		})
	}
}

// compare judges the ways of flows before a cut of c1, during it and after.
func (s *standing) compare(before, cut, again map[int]string) {
	s.t.Helper()
	count := map[string]int{}
	for flow, cable := range before {
		count[cable]++
		if now := cut[flow]; now != "c2" {
			s.t.Errorf("flow %d left by %s; with c1 cut by %q", flow, cable, now)
		}
		if now := again[flow]; now != cable {
			s.t.Errorf("flow %d left by %s, and when c1 was back by %q", flow, cable, now)
		}
	}
	s.t.Logf("of %d flows %d left by c1 and %d by c2", len(before), count["c1"], count["c2"])
	if count["c1"] < 16 || count["c2"] < 16 { // of addresses and ports that are always the same
		s.t.Errorf("the flows are not spread: %v", count)
	}
}

// waitAgreed waits until Open vSwitch and the daemon say the same of both ends.
func (s *standing) waitAgreed() {
	s.t.Helper()
	var err error
	agreed := func() bool {
		text, showErr := s.Show(s.t.Context(), "s1")
		if showErr != nil {
			s.t.Fatal(showErr)
		}
		if !strings.Contains(text, "sys_id") {
			return strings.Count(text, "sends: true") == 2
		}
		v, statusErr := s.Status(s.t.Context(), "a", "bond0")
		if statusErr != nil {
			s.t.Fatal(statusErr)
		}
		err = agree(parseShow(text), v, map[string]string{"p1": "c1", "p2": "c2"})
		return err == nil
	}
	nstest.Eventually(s.t, 20*time.Second, agreed, "the switch and the daemon to say the same")
	if err != nil {
		s.t.Fatal(err)
	}
}
