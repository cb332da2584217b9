package agg

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// Each line of a refusal names the object, the rule and what would work.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"mode=balance-tlb", "bond0: mode=balance-tlb: needs plane=bonding, and plane=auto is asked for; leave it out, or take plane=bonding"},
		{"mode=5", "bond0: mode=balance-tlb: needs plane=bonding, and plane=auto is asked for; leave it out, or take plane=bonding"},
		{"watch=arp", "bond0: watch=arp: Yoke knows this value but does not have it yet; what works is watch=carrier, none"},
		{"plane=ebpf arp_interval=100", "bond0: arp_interval=100ms: needs plane=bonding, and plane=ebpf is asked for; leave it out, or take plane=bonding"},
		{"mode=802.3ad max_links=1 min_links=2", "bond0: max_links=1: is less than min_links=2, so that no number of ports would do; take max_links=2 or more"},
		{"mode=balance-xr", "bond0: mode=balance-xr: must be one of balance-rr, active-backup, balance-xor, broadcast, 802.3ad, balance-tlb, balance-alb, random; for example mode=balance-rr"},
		{"lacp_rate=fast", "bond0: lacp_rate=fast: does nothing in mode active-backup; it is for 802.3ad; leave it out, or take mode=802.3ad"},
		{"mimon=100", "bond0: mimon: there is no such option; did you mean miimon?"},
		{"colour=red", "bond0: colour: there is no such option; `yoke help options` lists them"},
		{"slaves=eth1", "bond0: slaves=eth1: Yoke has no such option, on purpose; name ports as words: yoke up bond0 eth1 eth2, yoke add bond0 eth3"},
		{"mtu=20", "bond0: mtu=20: must be a whole number from 68 to 65535; for example mtu=68"},
		{"mtu=big", "bond0: mtu=big: must be a whole number from 68 to 65535; for example mtu=1500"},
		{"miimon=-1", "bond0: miimon=-1: must be a time from 0s to 596h31m23.647s, as 100ms or, in units of 1ms, 100; for example miimon=0s"},
		{"use_carrier=maybe", "bond0: use_carrier=maybe: must be on or off; for example use_carrier=on"},
		{"mac=01:00:00:00:00:01", "bond0: mac=01:00:00:00:00:01: must be the address of one station; the lowest bit of the first byte makes it a group; for example mac=00:00:00:00:00:01"},
		{"eth1,sticky", "eth1: an option of a port has the form key=value; write eth1,prio=10, and further ports as words of their own"},
		{"eth1,weight=x", "eth1: weight=x: must be a whole number from 0 to 65535; for example weight=0"},
		{"eth1 eth1", "bond0: port eth1 is named twice; name it once"},
		{"bond0", "bond0: cannot be its own port; name the links that shall carry the traffic, of `ip link`"},
		{"an-interface-too-long", `port: "an-interface-too-long" has 21 characters; interface names have at most 15; name an interface of ` + "`ip link`"},
		{"xmit_hash_policy=layer2 eth1", "bond0: xmit_hash_policy=layer2: does nothing in mode active-backup; it is for balance-xor, 802.3ad, balance-tlb, balance-alb; leave it out, or take mode=balance-xor"},
		{"mode=balance-xor tx_hash=eth,ipv5", `bond0: tx_hash=eth,ipv5: must be a list of eth, vlan, ipv4, ipv6, tcp, udp, sctp, ip, l3, l4, and not of "ipv5"; for example tx_hash=ipv4`},
		{"mode=balance-xor tx_hash=l3 xmit_hash_policy=layer2", "bond0: xmit_hash_policy=layer2: says what is hashed, and so does tx_hash; leave one of them out"},
		{"eth1,queue_id=2 eth2,queue_id=2", "eth2: queue_id=2: is the queue of eth1 already; take another number, or 0 for none"},
		{"watch=none updelay=100", "bond0: updelay=100ms: delays what the watch sees, and watch=none sees nothing; leave it out, or take watch=carrier"},
		{"watch=none eth1,downdelay=1s", "eth1: downdelay=1s: delays what the watch sees, and watch=none sees nothing; leave it out, or take watch=carrier"},
		{"mode=7", "bond0: mode=7: must be one of balance-rr, active-backup, balance-xor, broadcast, 802.3ad, balance-tlb, balance-alb, random; for example mode=active-backup"},
		{"packets_per_slave=2", "bond0: packets_per_slave=2: does nothing in mode active-backup; it is for balance-rr; leave it out, or take mode=balance-rr"},
		{"mode=balance-xor primary=eth1", "bond0: primary=eth1: does nothing in mode balance-xor; it is for active-backup, balance-tlb, balance-alb; leave it out, or take mode=active-backup"},
	} {
		s, err := ParseArgs("bond0", strings.Fields(c.args))
		if err == nil {
			err = s.Validate()
		}
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.args, err, c.want)
		}
	}
}

func TestEveryRefusalHasARemedy(t *testing.T) {
	ports := make([]PortSpec, MaxPorts+1)
	for i := range ports {
		ports[i].Name = "bond0"
	}
	s := Spec{Name: "a/b", Options: Settings{"mode": "broadcast", "mtu": "1", "what": "x"}, Ports: ports}
	problems, ok := errors.AsType[Problems](s.Validate())
	if !ok || len(problems) < 5 {
		t.Fatalf("got %v", problems)
	}
	for _, p := range problems {
		if p.Remedy == "" || p.Code == "" {
			t.Errorf("%v", p)
		}
	}
	for _, o := range Options() {
		if p := o.notBuilt("x"); p.Remedy == "" {
			t.Errorf("%v", p)
		}
		if _, err := o.Canonical("\x00/ /"); err == nil {
			t.Errorf("%s takes rubbish", o.Name)
		} else if p, ok := errors.AsType[*Problem](err); !ok || p.Remedy == "" || strings.HasSuffix(p.Remedy, "=") && o.Default != "" {
			t.Errorf("%v", err)
		}
	}
}

func TestParseArgs(t *testing.T) {
	words := []string{"mode=activebackup", "miimon=100", "num_unsol_na=2", "primary=eth9", "eth1", "eth2,prio=-10,sticky=yes,delay_up=2s"}
	s, err := ParseArgs("bond0", words)
	if err != nil || s.Validate() != nil {
		t.Fatalf("%v, %v", err, s.Validate())
	}
	want := []string{"miimon=100ms", "mode=active-backup", "num_grat_arp=2", "primary=eth9", "eth1", "eth2,prio=-10,sticky=on,updelay=2s"}
	if got := s.Args(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	again, err := ParseArgs("bond0", s.Args())
	if err != nil || !slices.Equal(again.Args(), want) {
		t.Errorf("the canonical words read back as %q, %v", again.Args(), err)
	}
}

func TestNormal(t *testing.T) {
	s, err := Spec{Name: "b", Options: Settings{"runner": "1", "miimon": "100"}, Ports: []PortSpec{{Name: "p", Options: Settings{"delay_up": "7"}}}}.Normal()
	if err != nil || s.Options["mode"] != "active-backup" || s.Options["miimon"] != "100ms" || s.Ports[0].Options["updelay"] != "7ms" {
		t.Errorf("got %+v, %v", s, err)
	}
	_, err = Spec{Name: "b", Options: Settings{"runner": "1", "mode": "2"}}.Normal()
	if err == nil || err.Error() != "b: runner: is another name of mode, which is given too; leave one of them out" {
		t.Errorf("got %v", err)
	}
}
