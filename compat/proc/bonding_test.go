package proc

import (
	"os"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// status is of bond0 with the ports p0 and p1, both up.
func status(options agg.Settings) agg.Status {
	s := agg.Status{Name: "bond0", Spec: agg.Spec{Name: "bond0", Options: options, Ports: []agg.PortSpec{{Name: "p0"}, {Name: "p1"}}}}
	s.Device.Carrier = true
	for i, name := range []string{"p0", "p1"} {
		p := agg.PortStatus{Name: name, Gates: []agg.Gate{{Name: agg.GateWatch, OK: true, Reason: "link-up"}}}
		p.Facts.Speed, p.Facts.FullDuplex, p.Facts.MAC = 10000, true, agg.MAC{2, 0, 0, 0, 1, byte(i)}
		s.Ports = append(s.Ports, p)
	}
	return s
}

// compare holds the text against what a bonding driver said, which is in testdata.
func compare(t *testing.T, s agg.Status, file string) {
	t.Helper()
	want, err := os.ReadFile("testdata/" + file + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	x := Extra{Driver: "v6.1.0-56-amd64", Permanent: map[string]agg.MAC{"p0": {2, 0, 0, 0, 1, 0}}}
	if got := Bonding(s, x); got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

func down(p *agg.PortStatus) {
	p.Gates[0], p.Failures = agg.Gate{Name: agg.GateWatch, Reason: "no-carrier"}, 1
}

func TestBondingsOwnText(t *testing.T) {
	for _, c := range []struct {
		file, active string
		options      agg.Settings
		change       func(*agg.Status)
	}{
		{"active-backup", "p0", agg.Settings{"mode": "active-backup", "miimon": "100ms"}, nil},
		{"active-backup-down", "p1", agg.Settings{"mode": "active-backup", "miimon": "100ms"}, func(s *agg.Status) { down(&s.Ports[0]) }},
		{"balance-xor", "", agg.Settings{"mode": "balance-xor", "miimon": "100ms", "xmit_hash_policy": "layer2"}, nil},
		{"balance-rr", "", agg.Settings{"mode": "balance-rr", "miimon": "100ms"}, nil},
		{"broadcast", "", agg.Settings{"mode": "broadcast", "miimon": "100ms"}, nil},
		{"balance-tlb", "p0", agg.Settings{"mode": "balance-tlb", "miimon": "100ms"}, nil},
		{"balance-alb", "p0", agg.Settings{"mode": "balance-alb", "miimon": "100ms"}, nil},
		{"arp-two-targets", "p1", agg.Settings{"mode": "active-backup", "arp_interval": "200ms", "arp_ip_target": "192.0.2.2,198.51.100.2"},
			func(s *agg.Status) { s.Ports[0].Failures = 1 }},
	} {
		s := status(c.options)
		s.Active = c.active
		if c.change != nil {
			c.change(&s)
		}
		compare(t, s, c.file)
	}
}

var (
	us   = agg.MAC{2, 0, 0, 0, 1, 0xee}
	them = agg.MAC{2, 0, 0, 0, 2, 0xee}
)

// bundle is a status in mode 802.3ad with both ports in aggregator 1.
func bundle() agg.Status {
	s := status(agg.Settings{"mode": "802.3ad", "miimon": "100ms", "xmit_hash_policy": "layer2", "lacp_rate": "fast"})
	s.LACP = &agg.LACPStatus{SystemPriority: 65535, System: us, Aggregator: 1, Ports: 2, Key: 15, Partner: them, PartnerKey: 15, PartnerPriority: 65535}
	for i := range s.Ports {
		end := agg.LACPEnd{SystemPriority: 65535, Key: 15, PortPriority: 255, Port: uint16(i + 1), State: 63}
		l := &agg.PortLACP{Aggregator: 1, Active: true, ActorChurn: "CHURN_MONITOR", PartnerChurn: "CHURN_MONITOR", Actor: end, Partner: end}
		l.Actor.System, l.Partner.System = us, them
		s.Ports[i].LACP = l
	}
	return s
}

func TestBondingsOwnTextOfLACP(t *testing.T) {
	compare(t, bundle(), "802.3ad")

	s := bundle()
	down(&s.Ports[0])
	s.LACP.Ports = 1
	s.Ports[0].LACP.Actor.Key, s.Ports[0].LACP.Actor.State, s.Ports[0].LACP.Partner.State = 0, 15, 55
	compare(t, s, "802.3ad-down")

	s = bundle() // p0 hears nobody
	s.LACP.Ports = 1
	l := s.Ports[0].LACP
	l.Aggregator, l.Active, l.Actor.State = 2, false, 71
	l.Partner = agg.LACPEnd{SystemPriority: 65535, Key: 1, PortPriority: 255, Port: 1}
	compare(t, s, "802.3ad-silent")

	s = bundle() // nothing was negotiated yet
	s.Device.Carrier = false
	s.LACP.Aggregator = 0
	s.Ports[0].LACP, s.Ports[1].LACP.Aggregator = nil, 0
	compare(t, s, "802.3ad-apart")
}

func TestChurnWords(t *testing.T) {
	for state, want := range map[string]string{"CHURN_MONITOR": "monitoring", "NO_CHURN": "none", "CHURN": "churned", "churned": "churned", "": "unknown"} {
		if got := churnWords(state); got != want {
			t.Errorf("%q: %q, want %q", state, got, want)
		}
	}
}

// What depends on one option each.
func TestLinesOfOptions(t *testing.T) {
	for _, c := range []struct {
		options agg.Settings
		says    string
	}{
		{agg.Settings{"mode": "balance-tlb", "tlb_dynamic_lb": "off", "xmit_hash_policy": "layer3+4"}, "load balancing\nTransmit Hash Policy: layer3+4 (1)\nPrimary"},
		{agg.Settings{"mode": "active-backup", "fail_over_mac": "follow"}, "(active-backup) (fail_over_mac follow)\n"},
		{agg.Settings{"mode": "active-backup", "primary": "p1", "primary_reselect": "better"}, "Primary Slave: p1 (primary_reselect better)\n"},
		{agg.Settings{"mode": "balance-rr", "arp_interval": "1s", "arp_missed_max": "5", "ns_ip6_target": "2001:db8::1"},
			"MII Polling Interval (ms): 0\nUp Delay (ms): 0\nDown Delay (ms): 0\nPeer Notification Delay (ms): 0\nARP Polling Interval (ms): 1000\nARP Missed Max: 5\nARP IP target/s (n.n.n.n form):\nNS IPv6 target/s (xx::xx form): 2001:db8::1\n\n"},
		{agg.Settings{"plane": "bonding"}, "MII Polling Interval (ms): 100\n"},
		{agg.Settings{"plane": "ebpf", "miimon": "20ms"}, "MII Polling Interval (ms): 20\n"},
		{agg.Settings{}, "Link Failure Count: 41\nPermanent HW addr: 02:00:00:00:01:01\n"},
		{agg.Settings{"mode": "802.3ad", "lacp_active": "off", "min_links": "2", "ad_select": "bandwidth"},
			"LACP active: off\nLACP rate: slow\nMin links: 2\nAggregator selection policy (ad_select): bandwidth\n"},
	} {
		s := status(c.options)
		s.Plane = c.options["plane"]
		s.Counters = map[string]uint64{"link_failures_p1": 41}
		if got := Bonding(s, Extra{}); !strings.Contains(got, c.says) {
			t.Errorf("%v: no %q in\n%s", c.options, c.says, got)
		}
	}
}
