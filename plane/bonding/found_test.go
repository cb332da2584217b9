package bonding

import (
	"errors"
	"maps"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// bondState is a bond as a new one is, with some options changed.
func bondState(changes Values) State {
	s := State{Name: "bond0", Index: 9, Up: true, Carrier: true, MTU: 1500, Options: Values{
		"mode": "1", "miimon": "100", "updelay": "0", "downdelay": "0", "peer_notif_delay": "0", "arp_interval": "0",
		"arp_validate": "0", "arp_ip_target": "", "ns_ip6_target": "", "arp_all_targets": "0", "arp_missed_max": "2", "xmit_hash_policy": "0",
		"resend_igmp": "1", "num_grat_arp": "1", "all_slaves_active": "0", "primary_reselect": "0", "min_links": "0", "lp_interval": "1",
		"fail_over_mac": "0", "packets_per_slave": "1", "lacp_rate": "0", "lacp_active": "1", "ad_select": "0", "tlb_dynamic_lb": "1",
		"use_carrier": "1", "coupled_control": "1", "primary": "0", "active_slave": "2",
	}, Ports: []Port{
		{Name: "p0", Index: 2, Up: true, Carrier: true, Link: "up", Active: true, Options: Values{"queue_id": "0", "prio": "0"}},
		{Name: "p1", Index: 3, Up: true, Carrier: true, Link: "up", Options: Values{"queue_id": "4", "prio": "-7"}},
	}}
	maps.Copy(s.Options, changes)
	return s
}

// A bond that is described as a spec is what the spec asks for: adopting it changes
// nothing.
func TestFoundIsWanted(t *testing.T) {
	for name, changes := range map[string]Values{
		"new":       {},
		"delays":    {"miimon": "50", "updelay": "200", "downdelay": "150", "peer_notif_delay": "100", "num_grat_arp": "5"},
		"primary":   {"primary": "3", "primary_reselect": "2", "fail_over_mac": "1", "all_slaves_active": "1"},
		"probes":    {"miimon": "0", "arp_interval": "500", "arp_ip_target": "192.0.2.1,192.0.2.2", "arp_validate": "3", "arp_missed_max": "7"},
		"blind":     {"miimon": "0"},
		"rr":        {"mode": "0", "packets_per_slave": "0", "resend_igmp": "9"},
		"xor":       {"mode": "2", "xmit_hash_policy": "2"},
		"layer2":    {"mode": "2"},
		"broadcast": {"mode": "3"},
		"lacp":      {"mode": "4", "lacp_rate": "1", "ad_select": "2", "min_links": "2", "ad_actor_sys_prio": "7", "ad_user_port_key": "9", "ad_actor_system": "02:00:00:00:00:99"},
		"tlb":       {"mode": "5", "tlb_dynamic_lb": "0", "lp_interval": "4", "xmit_hash_policy": "1"},
		"alb":       {"mode": "6", "primary": "2"},
	} {
		s := bondState(changes)
		s.MTU = 1400
		spec, err := s.Spec()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		spec.Options["plane"] = "bonding"
		if err := errors.Join(spec.Validate(), Fit(spec)); err != nil {
			t.Errorf("%s: %v: %v", name, spec.Args(), err)
		}
		if spec.Options["mtu"] != "1400" || len(spec.Ports) != 2 || spec.Ports[1].Options["queue_id"] != "4" {
			t.Errorf("%s: %v", name, spec.Args())
		}
		p := &Plane{options: Options{Name: "bond0"}.withDefaults()}
		if err := p.Configure(spec, nil); err != nil {
			t.Fatal(err)
		}
		want, err := p.bySpec(s)
		if err != nil {
			t.Fatal(err)
		}
		for option, v := range want {
			if s.Options[option] != v {
				t.Errorf("%s: %v makes %s=%s, and it is %q", name, spec.Args(), option, v, s.Options[option])
			}
		}
		for i, q := range s.Ports {
			if v, err := portValues(s, q, spec.Ports[i]); err != nil || len(v) != 0 {
				t.Errorf("%s: port %s: %v, %v", name, q.Name, v, err)
			}
		}
	}
}

// A spec that says nothing has Yoke's defaults, as far as they can be set on a bond that
// is up, and the driver is never blind unless that is asked for.
func TestDefaults(t *testing.T) {
	for name, c := range map[string]struct {
		have State
		spec agg.Settings
		want Values
	}{
		"miimon 0 is 100":         {bondState(Values{"miimon": "0"}), agg.Settings{"miimon": "0s"}, Values{"miimon": "100"}},
		"nothing said":            {bondState(Values{"miimon": "0"}), nil, Values{"miimon": "100"}},
		"blind":                   {bondState(nil), agg.Settings{"watch": "none"}, Values{"miimon": "0"}},
		"probes":                  {bondState(nil), agg.Settings{"arp_interval": "1s", "arp_ip_target": "192.0.2.1"}, Values{"arp_interval": "1000", "arp_ip_target": "192.0.2.1"}},
		"what was set is no more": {bondState(Values{"updelay": "300", "primary_reselect": "2"}), nil, Values{"updelay": "0", "primary_reselect": "0"}},
		"random":                  {bondState(Values{"mode": "0"}), agg.Settings{"mode": "random"}, Values{"mode": "0", "packets_per_slave": "0"}},
		"only while down":         {bondState(Values{"mode": "4", "lacp_rate": "1", "xmit_hash_policy": "1"}), agg.Settings{"mode": "802.3ad"}, Values{}},
	} {
		p := &Plane{options: Options{Name: "bond0"}.withDefaults()}
		if err := p.Configure(agg.Spec{Name: "bond0", Options: c.spec}, nil); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := p.bySpec(c.have)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for option, v := range c.want {
			if got[option] != v {
				t.Errorf("%s: %s is %q, want %q", name, option, got[option], v)
			}
		}
		target := Target(c.have, got)
		for option, v := range target {
			if _, expected := c.want[option]; !expected && v != c.have.Options[option] && option != "miimon" && option != "arp_interval" && option != "coupled_control" {
				t.Errorf("%s: %s becomes %q, was %q", name, option, v, c.have.Options[option])
			}
		}
	}
}

// What the driver has nothing like is refused by its name.
func TestFit(t *testing.T) {
	for option, value := range map[string]string{
		"fast_path": "on", "hash_map": "buckets", "tx_hash": "ipv4", "max_links": "1", "fallback": "static", "ad_select": "lacp_prio", "lacp_wait": "strict", "ad_actor_sys_prio": "0",
	} {
		err := Fit(agg.Spec{Name: "bond0", Options: agg.Settings{option: value}})
		var problems agg.Problems
		if !errors.As(err, &problems) || len(problems) != 1 || problems[0].Option != option || problems[0].Remedy == "" {
			t.Errorf("%s=%s: %v", option, value, err)
		}
	}
	err := Fit(agg.Spec{Name: "bond0", Ports: []agg.PortSpec{{Name: "p0", Options: agg.Settings{"weight": "3", "prio": "4"}}}})
	var problems agg.Problems
	if !errors.As(err, &problems) || len(problems) != 1 || problems[0].Object != "p0" || problems[0].Option != "weight" {
		t.Errorf("weight: %v", err)
	}
}

// What the driver makes of the ports, by mode.
func TestFacts(t *testing.T) {
	f := facts(bondState(nil), Proc{})
	if f.Active != "p0" || !f.Ports[0].Sends || f.Ports[1].Sends || f.Ports[1].Receives || f.Ports[1].Reason != "backup" || f.LACP != nil {
		t.Errorf("active-backup: %+v", f)
	}
	s := bondState(Values{"mode": "2"})
	s.Ports[0].Link = "down"
	if f := facts(s, Proc{}); f.Ports[0].Sends || !f.Ports[1].Sends || !f.Ports[1].Receives {
		t.Errorf("balance-xor: %+v", f)
	}
	s = bondState(Values{"mode": "4"})
	s.Aggregator = Aggregator{ID: 1, Ports: 1, ActorKey: 15, PartnerKey: 15, Partner: agg.MAC{2, 9}}
	s.Ports[0].AggregatorID, s.Ports[0].ActorState, s.Ports[0].PartnerState = 1, 63, 63
	s.Ports[1].AggregatorID, s.Ports[1].ActorState, s.Ports[1].Active = 2, 69, false
	f = facts(s, Proc{})
	if f.LACP == nil || f.LACP.Partner != s.Aggregator.Partner || f.LACP.Ports != 1 || f.Ports[0].Reason != "distributing" || f.Ports[1].Reason != "other-aggregator" ||
		f.Ports[0].LACP.Actor.Words == "" || !f.Ports[0].LACP.Active || f.Ports[1].LACP.Active {
		t.Errorf("802.3ad: %+v %+v", f.LACP, f.Ports)
	}
}
