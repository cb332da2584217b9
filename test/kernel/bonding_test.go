package kernel

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// On plane bonding an aggregate comes up, fails over, forwards without a daemon, is adopted
// under a stream, and leaves the ports as they were.
func TestBonding(t *testing.T) {
	for _, mode := range []string{"active-backup", "balance-xor"} {
		t.Run(mode, func(t *testing.T) {
			r := rig.New(t, "bonding")
			before := ports(r)
			r.Start()
			r.Up("br0", "plane=bonding", "mode="+mode, "miimon=20", "eth1", "eth2")
			carrying := 2
			if mode == "active-backup" {
				carrying = 1
			}
			r.WaitCarrying(carrying)
			killed(r, carrying)
			pulls(r)
			r.Must("down", "bond0")
			if r.Here.Has("bond0") {
				t.Error("the device is still there")
			}
			if after := ports(r); after != before {
				t.Errorf("after down:\n%s\nbefore up:\n%s", after, before)
			}
		})
	}
}

// details is what the kernel says of the bond and its ports, without what counts.
func details(r *rig.Rig) string {
	r.T.Helper()
	return nstest.Command(r.T, r.Here, "ip", "-d", "link", "show")
}

// A set of options, how the kernel shows them, and a change of one while the aggregate runs.
type bondOptions struct {
	// up are words of `yoke up`, set those of `yoke set` afterwards.
	up, set string
	// shows are words of `ip -d link show` then.
	shows string
}

// Every option of the driver that this kernel has is set by `yoke up` or `yoke set`, is in
// the kernel, and is what `yoke get` says.
func TestBondingEveryOption(t *testing.T) {
	r := rig.New(t, "bonding")
	r.Start()
	for _, c := range []bondOptions{
		{"mode=balance-rr packets_per_slave=3 arp_interval=200 arp_ip_target=192.0.2.2,192.0.2.3 arp_all_targets=all arp_missed_max=5 eth1,queue_id=3 eth2",
			"arp_interval=400 resend_igmp=4 ns_ip6_target=2001:db8::1",
			"packets_per_slave 3 arp_interval 400 arp_ip_target 192.0.2.2,192.0.2.3 arp_all_targets all arp_missed_max 5 resend_igmp 4 2001:db8::1 miimon 0 queue_id 3"},
		{"mode=active-backup miimon=50 updelay=100 downdelay=150 peer_notif_delay=200 fail_over_mac=follow primary=eth2 eth1,prio=5,queue_id=1 eth2,prio=-3,queue_id=2",
			"num_grat_arp=4 resend_igmp=3 primary_reselect=better all_slaves_active=on",
			"miimon 50 updelay 100 downdelay 150 peer_notify_delay 200 fail_over_mac follow primary eth2 num_grat_arp 4 resend_igmp 3 primary_reselect better all_slaves_active 1 queue_id 1 queue_id 2 prio 5 prio -3"},
		{"mode=active-backup arp_interval=250 arp_ip_target=192.0.2.2 arp_validate=all eth1 eth2",
			"active_slave=", "arp_interval 250 arp_validate all"},
		{"mode=balance-xor xmit_hash_policy=vlan+srcmac use_carrier=on eth1 eth2",
			"xmit_hash_policy=layer2+3", "xmit_hash_policy layer2+3 use_carrier 1"},
		{"mode=broadcast eth1 eth2", "updelay=200", "mode broadcast updelay 200"},
		{"mode=802.3ad lacp_rate=fast lacp_active=off ad_select=count ad_actor_sys_prio=7 ad_user_port_key=9 ad_actor_system=02:00:00:00:00:99 min_links=1 eth1 eth2",
			"min_links=2 ad_actor_sys_prio=8", "lacp_rate fast lacp_active off ad_select count ad_actor_sys_prio 8 ad_user_port_key 9 ad_actor_system 02:00:00:00:00:99 min_links 2"},
		{"mode=balance-tlb tlb_dynamic_lb=off lp_interval=5 eth1 eth2", "lp_interval=6 primary=eth1", "mode balance-tlb tlb_dynamic_lb 0 lp_interval 6 primary eth1"},
		{"mode=balance-alb eth1 eth2", "active_slave=eth2", "mode balance-alb active_slave eth2"},
	} {
		r.Must(append([]string{"up", "bond0", "plane=bonding"}, strings.Fields(c.up)...)...)
		r.Here.SetUp("bond0")
		r.WaitFor(func(s agg.Status) bool { return s.Plan.InForce }, "the options to be in force: "+c.up)
		r.Must(append([]string{"set", "bond0"}, strings.Fields(c.set)...)...)
		asProc(r)
		text := details(r)
		rest := strings.Join(strings.Fields(text), " ")
		for words := strings.Fields(c.shows); len(words) > 0; {
			n := min(2, len(words))
			if strings.Contains(words[0], ":") {
				n = 1
			}
			if want := strings.Join(words[:n], " "); !strings.Contains(rest, want) {
				t.Errorf("%s, then %s: no %q in\n%s", c.up, c.set, want, text)
			}
			words = words[n:]
		}
		got := r.Must("get", "bond0", "-o", "json")
		for word := range strings.FieldsSeq(c.set) {
			key, value, _ := strings.Cut(word, "=")
			if value != "" && !strings.Contains(got, `"name": "`+key+`"`) && !strings.Contains(got, `"name":"`+key+`"`) {
				t.Errorf("yoke get does not know %s=%s:\n%s", key, value, got)
			}
		}
		r.Must("down", "bond0")
	}
}

// What the driver of this kernel is too old for, and what it has never had, is refused by
// name, and no bond is left.
func TestBondingLacks(t *testing.T) {
	r := rig.New(t, "bonding")
	r.Start()
	for words, says := range map[string]string{
		"mode=802.3ad broadcast_neighbor=on":           "6.17",
		"mode=802.3ad lacp_strict=on":                  "7.1",
		"mode=802.3ad ad_select=lacp_prio":             "ad_select",
		"mode=balance-xor hash_map=buckets":            "hash_map",
		"mode=active-backup fast_path=on":              "fast_path",
		"mode=802.3ad fallback=static":                 "fallback",
		"mode=active-backup miimon=100 eth1,sticky=on": "sticky",
	} {
		args := append([]string{"up", "bond0", "plane=bonding"}, strings.Fields(words)...)
		if !strings.Contains(words, "eth1") {
			args = append(args, "eth1")
		}
		if out, err := r.Yoke(args...); err == nil || !strings.Contains(out, says) {
			t.Errorf("%s: %v\n%s", words, err, out)
		}
		if r.Here.Has("bond0") {
			t.Errorf("%s: bond0 was left", words)
			r.Here.Delete("bond0")
		}
	}
}

// The rows of the driver's own refusals that an option of Yoke can be: each in the middle
// of a change of five options is refused with the option's name, and leaves the bond and
// its ports exactly as they were, also in what Yoke wants.
func TestBondingRefusesWhole(t *testing.T) {
	r := rig.New(t, "bonding")
	r.There.AddAddr("br0", rig.ThereAddr+"/24")
	r.Start()
	good := []string{"resend_igmp=7", "num_grat_arp=9", "all_slaves_active=on", "peer_notif_delay=200"}
	for _, c := range []struct {
		up  string
		bad []string
	}{
		{"mode=active-backup miimon=100 eth1 eth2", []string{
			"miimon=-1", "miimon=abc", "active_slave=eth3", "active_slave=eth2", "updelay=-100", "updelay=250", "downdelay=130", "fail_over_mac=active", "num_unsol_na=256",
			"resend_igmp=256", "primary_reselect=bogus", "packets_per_slave=2", "lacp_rate=fast", "use_carrier=2", "all_slaves_active=2", "mode=balance-rr",
			"arp_validate=all", "arp_interval=100", "arp_all_targets=some", "tlb_dynamic_lb=off", "lp_interval=0", "use_carrier=off", "peer_notif_delay=130",
		}},
		{"mode=balance-rr miimon=100 eth1 eth2", []string{"packets_per_slave=65536", "primary=eth1", "active_slave=eth1", "min_links=-1"}},
		{"mode=balance-xor miimon=100 eth1 eth2", []string{"xmit_hash_policy=layer5", "active_slave=eth1"}},
		{"mode=active-backup arp_interval=1s arp_missed_max=20 arp_ip_target=192.0.2.2 eth1 eth2", []string{
			"arp_ip_target=0.0.0.0", "arp_ip_target=192.0.2.2,192.0.2.2", "arp_ip_target=" + seventeen(), "ns_ip6_target=::1", "miimon=100", "updelay=100", "arp_missed_max=0",
		}},
		{"mode=802.3ad miimon=100 eth1 eth2", []string{
			"lacp_rate=bogus", "lacp_rate=fast", "ad_select=count", "ad_actor_sys_prio=0", "ad_actor_sys_prio=65536", "ad_actor_system=01:00:5e:00:00:01",
			"ad_user_port_key=1024", "arp_interval=100", "arp_validate=all", "min_links=-1", "lacp_active=off",
		}},
	} {
		r.There.SetDown("far2")
		r.Must(append([]string{"up", "bond0", "plane=bonding"}, strings.Fields(c.up)...)...)
		r.Here.SetUp("bond0")
		r.Here.AddAddr("bond0", rig.HereAddr+"/24")
		r.WaitFor(func(s agg.Status) bool {
			return s.Plan.InForce && s.Ports[1].Reason == "no-carrier" && s.Ports[0].Facts.Carrier
		}, "the second port to be down")
		before, spec := steady(r, strings.Contains(c.up, "802.3ad")), r.Must("save", "bond0", "--print")
		for _, bad := range c.bad {
			option, _, _ := strings.Cut(bad, "=")
			args := []string{"set", "bond0"}
			for i, word := range good {
				if i == 2 {
					args = append(args, bad)
				}
				if !strings.HasPrefix(word, option+"=") {
					args = append(args, word)
				}
			}
			if option == "num_unsol_na" {
				option = "num_grat_arp"
			}
			out, err := r.Yoke(args...)
			if err == nil || !strings.Contains(out, option) {
				t.Errorf("%s, then %s: %v\n%s", c.up, bad, err, out)
			}
			if after := details(r); after != before {
				t.Errorf("%s, then %s: %s\n%s\nwas\n%s", c.up, bad, out, after, before)
			}
		}
		if now := r.Must("save", "bond0", "--print"); now != spec {
			t.Errorf("%s: wanted is\n%s\nwas\n%s", c.up, now, spec)
		}
		r.There.SetUp("far2")
		r.Must("down", "bond0")
	}
}

// steady is what the kernel says when that does not change any more: links have settled,
// and LACP, where it is spoken, has given up waiting for a partner.
func steady(r *rig.Rig, lacp bool) string {
	r.T.Helper()
	wait := 2 * time.Second // the kernel holds link events back for one
	if lacp {
		wait = 4 * time.Second
	}
	text, since := "", time.Time{}
	nstest.Eventually(r.T, 60*time.Second, func() bool {
		if now := details(r); now != text {
			text, since = now, time.Now()
		}
		return time.Since(since) > wait
	}, "the bond to be steady")
	return text
}

func seventeen() string {
	words := make([]string, 17)
	for i := range words {
		words[i] = "192.0.2." + string(rune('1'+i/10)) + string(rune('0'+i%10))
	}
	return strings.Join(words, ",")
}

// A bond that somebody else made, as ifupdown and networkd do, with addresses and a stream
// of 5,000 datagrams a second, is adopted by `yoke up`: it keeps its options, ports,
// addresses and carrier, nothing is lost, and the kernel has nothing to tell. So it is when
// the daemon is killed and another one comes.
func TestBondingAdopts(t *testing.T) {
	r := rig.New(t, "bonding")
	ip := func(words string) { nstest.Command(t, r.Here, "ip", strings.Fields(words)...) }
	r.Here.SetDown("eth1")
	r.Here.SetDown("eth2")
	ip("link add bond0 type bond mode active-backup miimon 100 updelay 200 num_grat_arp 3 xmit_hash_policy layer2+3 primary_reselect better")
	ip("link set eth1 master bond0")
	ip("link set eth2 master bond0")
	ip("link set bond0 mtu 1400 up")
	r.Here.AddAddr("bond0", rig.HereAddr+"/24")
	ip("route add 198.51.100.0/24 via " + rig.ThereAddr)
	r.There.AddAddr("br0", rig.ThereAddr+"/24")
	nstest.Eventually(t, 20*time.Second, func() bool {
		return strings.Count(details(r), "mii_status UP") == 2 && strings.Contains(nstest.Command(t, r.Here, "ip", "-br", "link", "show", "bond0"), "UP")
	}, "both ports to be up")
	r.Here.MustPing(rig.ThereAddr)
	before := details(r) + nstest.Command(t, r.Here, "ip", "addr", "show", "bond0") + nstest.Command(t, r.Here, "ip", "route")

	r.Start()
	heard := &rig.Journal{}
	monitor := exec.Command("ip", "monitor", "link", "address", "route")
	monitor.Stdout = heard
	r.Here.Start(monitor)
	nstest.Eventually(t, 10*time.Second, func() bool { // it listens when it has said something
		ip("link add spare0 type dummy")
		ip("link del spare0")
		return strings.Contains(heard.String(), "spare0")
	}, "the monitor to listen")
	stream := nstest.StartUDP(t, r.Here, r.There, rig.HereAddr, rig.ThereAddr, 200*time.Microsecond)
	stream.WaitReceived(some)
	r.Must("up", "bond0", "plane=bonding")
	stream.WaitReceived(some)
	s := r.WaitFor(func(s agg.Status) bool { return s.Carrying == 1 && s.Plan.InForce }, "the bond to be adopted")
	if s.Plane != "bonding" || s.Total != 2 || s.Active == "" || s.Spec.Options["updelay"] != "200ms" || s.Spec.Options["mtu"] != "1400" {
		t.Errorf("adopted: %+v", s)
	}
	r.Kill()
	stream.WaitReceived(some)
	r.Start()
	r.WaitCarrying(1)
	stream.WaitReceived(some)
	complete(t, "adoption of a bond on plane bonding, twice", stream.Stop())
	after := details(r) + nstest.Command(t, r.Here, "ip", "addr", "show", "bond0") + nstest.Command(t, r.Here, "ip", "route")
	if after != before {
		t.Errorf("adopted:\n%s\nwas\n%s", after, before)
	}
	for line := range strings.Lines(heard.String()) {
		if strings.Contains(line, "bond0") || strings.Contains(line, "eth1") || strings.Contains(line, "eth2") {
			t.Errorf("ip monitor: %s", line)
		}
	}
	if out, err := r.Yoke("set", "bond0", "updelay=250"); err == nil {
		t.Errorf("updelay=250 of miimon=100 was taken: %s", out)
	}
	r.Must("set", "bond0", "updelay=300", "active_slave=eth2")
	r.WaitActive("eth2")
	if text := details(r); !strings.Contains(text, "updelay 300") {
		t.Errorf("after set:\n%s", text)
	}
}

// The driver's LACP is in the status as on other planes: the partner, who distributes, and
// why a port does not. ARP probes are the driver's too, and a silent target is seen.
func TestBondingTells(t *testing.T) {
	r := rig.NewHost(t, "bonding")
	r.Here.Veth("eth1", r.There, "far1")
	r.Here.Veth("eth2", r.There, "far2")
	r.There.SetDown("far1")
	r.There.SetDown("far2")
	far := func(words string) { nstest.Command(t, r.There, "ip", strings.Fields(words)...) }
	far("link add bond9 type bond mode 802.3ad miimon 100 lacp_rate fast")
	far("link set far1 master bond9")
	far("link set far2 master bond9")
	far("link set bond9 up")
	r.Start()
	r.Must("up", "bond0", "plane=bonding", "mode=802.3ad", "lacp_rate=fast", "eth1", "eth2")
	r.Here.SetUp("bond0")
	var s agg.Status
	nstest.Eventually(t, 60*time.Second, func() bool {
		s = r.Status()
		return s.Carrying == 2 && s.LACP != nil && s.LACP.Ports == 2
	}, "both ports to distribute; now %+v", &s)
	partner := r.There.MAC("bond9").String()
	if s.LACP.Partner.String() != partner || !s.LACP.Carrier || s.LACP.System.IsZero() {
		t.Errorf("the aggregate's LACP is %+v, the partner %s", s.LACP, partner)
	}
	for _, p := range s.Ports {
		if p.LACP == nil || p.LACP.Partner.System.String() != partner || !strings.Contains(p.LACP.Partner.Words, "distributing") || !p.LACP.Active {
			t.Errorf("%s: %+v", p.Name, p.LACP)
		}
	}
	far("link set far2 nomaster")
	far("link set far2 up")
	nstest.Eventually(t, 30*time.Second, func() bool {
		s = r.Status()
		return s.Carrying == 1 && s.Ports[1].Reason != ""
	}, "the second port to be left out; now %+v", &s)
	t.Logf("%s: %s", s.Ports[1].Reason, s.Ports[1].Text)
	r.Must("down", "bond0")

	far("link del bond9")
	for _, name := range []string{"far1", "far2"} {
		r.There.SetUp(name)
	}
	r.Bridge(r.There, "br0", "far1", "far2")
	r.There.AddAddr("br0", rig.ThereAddr+"/24")
	r.Must("up", "bond0", "plane=bonding", "mode=active-backup", "arp_interval=300", "arp_ip_target="+rig.ThereAddr, "eth1", "eth2")
	r.Here.AddAddr("bond0", rig.HereAddr+"/24")
	r.Here.SetUp("bond0")
	r.WaitFor(func(s agg.Status) bool { return s.Carrying == 1 && s.Plan.InForce }, "the target to answer")
	active := r.Status().Active
	port := map[string]string{"eth1": "far1", "eth2": "far2"}[active]
	nstest.Command(t, r.There, "tc", "qdisc", "add", "dev", port, "clsact")
	nstest.Command(t, r.There, "tc", "filter", "add", "dev", port, "ingress", "matchall", "action", "drop") // and the carrier stays
	r.WaitFor(func(s agg.Status) bool { return s.Active != active && s.Active != "" && s.Carrying == 1 },
		"the other port to take over from one that has carrier and no answer")
}
