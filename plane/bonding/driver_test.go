package bonding

import (
	"errors"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
)

// site is a namespace with the ports p0 and p1, cabled to q0 and q1 elsewhere.
type site struct {
	t         *testing.T
	host, far *nstest.NS
	driver    *Driver
}

func newSite(t *testing.T) *site {
	t.Helper()
	nstest.Require(t, "root", "veth", "bonding")
	s := &site{t: t, host: nstest.New(t), far: nstest.New(t)}
	s.host.Veth("p0", s.far, "q0")
	s.host.Veth("p1", s.far, "q1")
	s.must(s.host.Run(func() (err error) { s.driver, err = NewDriver(); return err }))
	t.Cleanup(func() { s.must(s.driver.Close()) })
	return s
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// bond makes bond0 with options in the words of a spec.
func (s *site) bond(words ...string) int {
	s.t.Helper()
	for _, p := range []string{"p0", "p1"} {
		s.host.SetDown(p) // bonding takes interfaces that are down
	}
	s.must(s.driver.Create("bond0", agg.MAC{}, 0))
	index := s.index("bond0")
	want := Values{}
	for i := 0; i+1 < len(words); i += 2 {
		a, ok := named(Attributes(), words[i])
		if !ok {
			s.t.Fatalf("no option %s", words[i])
		}
		var err error
		want[a.Name], err = a.Kernel("bond0", words[i+1], s.index)
		s.must(err)
	}
	s.must(s.driver.Change(index, want))
	return index
}

func (s *site) index(name string) int { return s.host.Index(name) }

func (s *site) read(index int) State {
	s.t.Helper()
	st, err := s.driver.Read(index)
	s.must(err)
	return st
}

// run does one line of a row's setup.
func (s *site) run(line string) {
	s.t.Helper()
	words := strings.Fields(strings.TrimSuffix(line, "; sleep 0.5"))
	switch {
	case strings.HasPrefix(line, "ip link add bond0 type bond"):
		s.bond(words[6:]...)
	case strings.HasPrefix(line, "for "): // the sixteen targets
		var all []string
		for i := range maxTargets {
			all = append(all, "192.0.2."+itoa(i+1))
		}
		s.must(s.driver.Change(s.index("bond0"), Values{"arp_ip_target": strings.Join(all, ",")}))
	case strings.HasPrefix(line, "ip -n peer link set q1 down"):
		s.far.SetDown("q1")
	case strings.Contains(line, " master "):
		s.must(s.driver.SetMaster(s.index(words[3]), s.index(words[5])))
	case strings.HasSuffix(line, "up") || strings.Contains(line, " up;"):
		s.host.SetUp(words[3])
		nstest.Eventually(s.t, 20*time.Second, func() bool {
			st := s.read(s.index("bond0"))
			p, ok := st.Port("p0")
			return !ok || p.Link == "up"
		}, "the first port to be up")
	default:
		s.t.Fatalf("unknown line %q", line)
	}
}

// For each case of the kernel's refusals, in the middle of a change of five options: a
// refusal, by our rules or, where they are not asked, by the kernel, leaves the bond
// exactly as it was before.
func TestRefusedAmongFive(t *testing.T) {
	s := newSite(t)
	ours, kernels, taken := 0, 0, 0
	for _, r := range readRows(t) {
		for _, line := range r.setup {
			s.run(line)
		}
		index := s.index("bond0")
		before := s.read(index)
		a, _ := named(Attributes(), r.option)
		text := strings.TrimPrefix(r.value, "+")
		if strings.HasPrefix(r.value, "+") { // the list afterwards
			text = strings.TrimPrefix(before.Options[r.option]+","+text, ",")
		}
		value, err := a.Kernel("bond0", text, s.index)
		if err == nil {
			want := r.around()
			want[r.option] = value
			if err = s.driver.Change(index, want); err == nil {
				taken++
			} else {
				s.same(r, index, before)
				if err := apply(bond{s.driver, index}, before, want); err != nil {
					kernels++
					t.Logf("%s: the kernel says: %v", r.title, err)
					s.same(r, index, before)
				}
			}
		}
		if err != nil {
			ours++
			var p *agg.Problem
			if ps := (agg.Problems)(nil); errors.As(err, &ps) && len(ps) > 0 {
				p = ps[0]
			}
			if p == nil && !errors.As(err, &p) || p.Option != r.option || p.Rule == "" || p.Remedy == "" {
				t.Errorf("%s: %v", r.title, err)
			}
			t.Logf("%s: %v", r.title, err)
		}
		s.host.Delete("bond0")
		s.far.SetUp("q1")
	}
	t.Logf("%d refused before the kernel was asked, %d also by the kernel, %d taken", ours, kernels, taken)
	if ours < 20 || kernels < 5 {
		t.Error("the cases prove nothing")
	}
}

// lasting is a state without what the kernel's work queue sees to in its own time.
func lasting(s State) State {
	s.Queued = false
	s.Ports = slices.Clone(s.Ports)
	for i := range s.Ports {
		s.Ports[i].Queued = false
	}
	return s
}

func (s *site) same(r row, index int, before State) {
	s.t.Helper()
	if after := s.read(index); !reflect.DeepEqual(lasting(after), lasting(before)) {
		s.t.Errorf("%s:\n%+v, was\n%+v", r.title, after, before)
	}
}

// Every option that this kernel reports can be set, and reads back.
func TestEveryOption(t *testing.T) {
	s := newSite(t)
	for mode, values := range map[string]Values{
		"balance-rr":    {"packets_per_slave": "3", "arp_interval": "200", "arp_ip_target": "192.0.2.1,192.0.2.2", "ns_ip6_target": "2001:db8::1", "arp_validate": "0", "arp_all_targets": "1", "arp_missed_max": "5"},
		"active-backup": {"miimon": "50", "updelay": "100", "downdelay": "150", "peer_notif_delay": "200", "fail_over_mac": "2", "num_grat_arp": "4", "resend_igmp": "3", "primary_reselect": "1", "all_slaves_active": "1"},
		"balance-xor":   {"xmit_hash_policy": "5", "min_links": "1", "use_carrier": "1", "arp_interval": "300", "arp_validate": "2"},
		"802.3ad":       {"lacp_rate": "1", "lacp_active": "0", "ad_select": "2", "ad_actor_sys_prio": "7", "ad_user_port_key": "9", "ad_actor_system": "02:00:00:00:00:99", "min_links": "1"},
		"balance-alb":   {"tlb_dynamic_lb": "0", "lp_interval": "5"},
	} {
		index := s.bond("mode", mode)
		before := s.read(index)
		if err := s.driver.Change(index, values); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		after := s.read(index)
		for name, want := range values {
			if after.Options[name] != want {
				t.Errorf("%s: %s is %s, want %s", mode, name, after.Options[name], want)
			}
		}
		// And back, whole.
		if err := reach(bond{s.driver, index}, settled(before)); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		if now := s.read(index); !maps.Equal(now.Options, before.Options) {
			t.Errorf("%s: %v, was %v", mode, now.Options, before.Options)
		}
		s.must(s.driver.Destroy(index))
	}
	// What this kernel is too old for is refused by name and version.
	index := s.bond("mode", "802.3ad")
	if _, has := s.read(index).Options["broadcast_neighbor"]; !has {
		err := s.driver.Change(index, Values{"broadcast_neighbor": "1"})
		if err == nil || !strings.Contains(err.Error(), "broadcast_neighbor") || !strings.Contains(err.Error(), "6.17") {
			t.Errorf("broadcast_neighbor: %v", err)
		}
	}
	s.must(s.driver.Destroy(index))
}

// Ports, their options, the active one and LACP are read as /proc shows them, with a bond
// at the other end; looking changes nothing that `ip monitor` would show.
func TestPortsAndLACP(t *testing.T) {
	s := newSite(t)
	index := s.bond("mode", "802.3ad", "miimon", "100", "lacp_rate", "fast")
	for _, p := range []string{"q0", "q1"} {
		s.far.SetDown(p)
	}
	nstest.Command(t, s.far, "ip", "link", "add", "bond9", "type", "bond", "mode", "802.3ad", "miimon", "100", "lacp_rate", "fast")
	for i, p := range []string{"p0", "p1"} {
		s.must(s.driver.SetMaster(s.index(p), index))
		nstest.Command(t, s.far, "ip", "link", "set", "q"+itoa(i), "master", "bond9")
	}
	s.far.SetUp("bond9")
	s.host.SetUp("bond0")
	var st State
	nstest.Eventually(t, 40*time.Second, func() bool {
		st = s.read(index)
		for _, p := range st.Ports {
			if p.ActorState != 63 || p.PartnerState != 63 || p.Link != "up" {
				return false
			}
		}
		return len(st.Ports) == 2 && st.Aggregator.Ports == 2
	}, "both ports to be in one aggregator; now %+v", &st)
	proc := s.proc(t)
	if proc.Ports[0].Partner == nil || proc.Ports[0].Partner.MAC != st.Aggregator.Partner || int(proc.Ports[0].Partner.Key) != int(st.Aggregator.PartnerKey) {
		t.Errorf("netlink has %+v, /proc %+v", st.Aggregator, proc.Ports[0].Partner)
	}
	for i, p := range proc.Ports {
		q, ok := st.Port(p.Name)
		if !ok || p.Fields["MII Status"] != q.Link || p.Actor.State != q.ActorState || p.Fields["Permanent HW addr"] != q.PermanentMAC.String() {
			t.Errorf("port %d: /proc has %+v, netlink %+v", i, p, q)
		}
	}
	p, _ := st.Port("p1")
	s.must(s.driver.SetPort(index, p, "queue_id", "3"))
	if p, _ := s.read(index).Port("p1"); p.Options["queue_id"] != "3" {
		t.Errorf("%+v", p)
	}
	err := s.driver.SetPort(index, p, "queue_id", "999")
	if _, ok := errors.AsType[*Refused](err); !ok {
		t.Errorf("queue 999: %v", err)
	}
}

func (s *site) proc(t *testing.T) Proc {
	t.Helper()
	var text []byte
	s.host.Do(func() {
		// net in /proc is that of the thread.
		var err error
		if text, err = os.ReadFile("/proc/thread-self/net/bonding/bond0"); err != nil {
			t.Fatal(err)
		}
	})
	p, err := ParseProc(string(text))
	s.must(err)
	return p
}
