package agg

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// bondingOptions are the options of the kernel's bonding driver, from its documentation
// and uapi header: name, IFLA_BOND_* number (0 where none), default.
const bondingOptions = `
mode 1 balance-rr
active_slave 2 -
miimon 3 0
updelay 4 0
downdelay 5 0
use_carrier 6 1
arp_interval 7 0
arp_ip_target 8 -
arp_validate 9 none
arp_all_targets 10 any
primary 11 -
primary_reselect 12 always
fail_over_mac 13 none
xmit_hash_policy 14 layer2
resend_igmp 15 1
num_grat_arp 16 1
num_unsol_na 16 1
all_slaves_active 17 0
min_links 18 0
lp_interval 19 1
packets_per_slave 20 1
lacp_rate 21 slow
ad_select 22 stable
ad_actor_sys_prio 24 65535
ad_user_port_key 25 0
ad_actor_system 26 00:00:00:00:00:00
tlb_dynamic_lb 27 1
peer_notif_delay 28 0
lacp_active 29 on
arp_missed_max 30 2
ns_ip6_target 31 -
coupled_control 32 on
broadcast_neighbor 33 off
lacp_strict 34 off
slaves 0 -
max_bonds 0 1
tx_queues 0 16
`

const bondingPortOptions = `
queue_id 5 0
prio 9 0
actor_port_prio 10 255
`

// teamdKeys are the keys of teamd.conf(5) as libteam 1.32 reads them, and the one
// state item that can be set, runner.active_port.
const teamdKeys = `
device debug_level hwaddr runner.name runner.addr notify_peers.count notify_peers.interval
mcast_rejoin.count mcast_rejoin.interval link_watch_policy ports
runner.hwaddr_policy runner.tx_hash runner.tx_balancer.name runner.tx_balancer.balancing_interval
runner.active runner.active_port runner.sys_prio runner.fast_rate runner.min_ports runner.agg_select_policy
ports.PORT.queue_id ports.PORT.prio ports.PORT.sticky ports.PORT.lacp_prio ports.PORT.lacp_key
link_watch.name link_watch.delay_up link_watch.delay_down link_watch.interval link_watch.init_wait
link_watch.missed_max link_watch.source_host link_watch.target_host link_watch.validate_active
link_watch.validate_inactive link_watch.send_always link_watch.vlanid link_watch.tipc_bearer
`

func TestTableHasEveryOptionOfBonding(t *testing.T) {
	for list, scope := range map[string]Scope{bondingOptions: OfAggregate, bondingPortOptions: OfPort} {
		for line := range strings.Lines(strings.TrimSpace(list)) {
			f := strings.Fields(line)
			o, ok := Lookup(f[0], scope)
			if !ok {
				t.Errorf("%s is missing", f[0])
				continue
			}
			if n, _ := strconv.Atoi(f[1]); o.Netlink != n {
				t.Errorf("%s has netlink number %d, want %s", o.Name, o.Netlink, f[1])
			}
			want := ""
			if f[2] != "-" {
				want, _ = o.Canonical(f[2])
			}
			if o.Bonding != want {
				t.Errorf("%s has bonding default %q, want %q", o.Name, o.Bonding, want)
			}
		}
	}
}

func TestTableHasEveryKeyOfTeamd(t *testing.T) {
	var have []string
	for _, o := range Options() {
		have = append(have, strings.Split(o.TeamdKey, ",")...)
	}
	for key := range strings.FieldsSeq(teamdKeys) {
		if !slices.Contains(have, key) {
			t.Errorf("%s is missing", key)
		}
	}
	for _, key := range have {
		if key != "" && !slices.Contains(strings.Fields(teamdKeys), key) {
			t.Errorf("teamd has no key %s", key)
		}
	}
}

func TestTableNamesAreUnique(t *testing.T) {
	seen := map[optionKey]string{}
	numbers := map[[2]int]string{}
	for _, o := range Options() {
		for _, name := range append([]string{o.Name}, o.Aliases...) {
			for _, scope := range []Scope{OfAggregate, OfPort} {
				if o.Scope&scope == 0 {
					continue
				}
				if other, ok := seen[optionKey{name, scope}]; ok {
					t.Errorf("%s and %s are both called %s", o.Name, other, name)
				}
				seen[optionKey{name, scope}] = o.Name
			}
		}
		space := 0 // IFLA_BOND_*
		if o.Scope == OfPort {
			space = 1 // IFLA_BOND_SLAVE_*
		}
		if other, ok := numbers[[2]int{space, o.Netlink}]; ok && o.Netlink != 0 {
			t.Errorf("%s and %s have netlink number %d", o.Name, other, o.Netlink)
		}
		numbers[[2]int{space, o.Netlink}] = o.Name
	}
}

func TestTableRowsAreWhole(t *testing.T) {
	for _, o := range Options() {
		if o.Doc == "" || !strings.HasSuffix(o.Doc, ".") || o.Scope == 0 || o.Kind == 0 {
			t.Errorf("%s: doc, scope or kind is missing", o.Name)
		}
		for what, text := range map[string]string{"default": o.Default, "bonding": o.Bonding, "teamd": o.Teamd} {
			if text == "" {
				continue
			}
			if got, err := o.Canonical(text); err != nil || got != text && what == "default" {
				t.Errorf("%s: the %s value %q is %q, %v", o.Name, what, text, got, err)
			}
		}
		if (o.Kind == KindInt || o.Kind == KindDuration) && o.Min >= o.Max {
			t.Errorf("%s: range %d to %d", o.Name, o.Min, o.Max)
		}
		if o.Kind == KindDuration && (o.Bare < time.Millisecond || o.Unit == "") {
			t.Errorf("%s: a bare number has no unit", o.Name)
		}
		if o.Kind != KindList && (o.Kind == KindEnum) != (len(o.Values) > 0) {
			t.Errorf("%s: values do not fit the kind", o.Name)
		}
		if o.Built && o.Instead != "" {
			t.Errorf("%s: built, and to be said otherwise", o.Name)
		}
		if o.Built && len(o.Values) > 0 && o.builtWords() == "" {
			t.Errorf("%s: built without a value that is", o.Name)
		}
	}
}

func TestEnumWordsAndNumbersRoundTrip(t *testing.T) {
	for _, o := range Options() {
		taken := map[string]bool{}
		for _, v := range o.Values {
			words := append([]string{v.Text}, v.Aliases...)
			if v.Number >= 0 {
				words = append(words, strconv.Itoa(v.Number))
			}
			for _, w := range words {
				if got, err := o.Canonical(w); err != nil || got != v.Text {
					t.Errorf("%s=%s is %q, %v; want %s", o.Name, w, got, err, v.Text)
				}
				if taken[w] {
					t.Errorf("%s=%s has two meanings", o.Name, w)
				}
				taken[w] = true
			}
		}
	}
}

// The words of the enumerations in Go are those of the table.
func TestModesAndPoliciesAreTheTablesWords(t *testing.T) {
	for _, m := range Modes() {
		c := Spec{Options: Settings{"mode": m.String()}}.Config()
		if c.Mode != m {
			t.Errorf("mode=%s is %s", m, c.Mode)
		}
	}
	for h := HashLayer2; h <= HashVLANSrcMAC; h++ {
		if c := (Spec{Options: Settings{"xmit_hash_policy": h.String()}}).Config(); c.HashPolicy != h {
			t.Errorf("xmit_hash_policy=%s is %s", h, c.HashPolicy)
		}
	}
	for r := ReselectAlways; r <= ReselectFailure; r++ {
		if c := (Spec{Options: Settings{"primary_reselect": r.String()}}).Config(); c.PrimaryReselect != r {
			t.Errorf("primary_reselect=%s is %s", r, c.PrimaryReselect)
		}
	}
}

func TestWhatIsBuilt(t *testing.T) {
	var built []string
	for _, o := range Options() {
		if o.Built {
			built = append(built, o.Name)
		}
	}
	const want = "mode plane packets_per_slave all_slaves_active drain_timeout queue_id fast_path mtu mac fail_over_mac xmit_hash_policy hash_map weight tx_hash tlb_dynamic_lb lp_interval primary primary_reselect active_slave prio sticky " +
		"watch miimon use_carrier updelay downdelay arp_interval arp_ip_target ns_ip6_target arp_validate arp_all_targets arp_missed_max num_grat_arp peer_notif_delay resend_igmp mcast_rejoin_interval " +
		"lacp_rate lacp_active ad_select ad_actor_sys_prio ad_actor_system ad_user_port_key min_links coupled_control broadcast_neighbor lacp_strict " +
		"max_links fallback fallback_timeout lacp_wait wait_to_restore max_orphan_time revertive actor_port_prio lacp_key"
	if got := strings.Join(built, " "); got != want {
		t.Errorf("built are\n%s, want\n%s", got, want)
	}
	o, _ := Lookup("mode", OfAggregate)
	const modes = "balance-rr, active-backup, balance-xor, broadcast, 802.3ad, balance-tlb, balance-alb, random"
	if got := o.Accepts(); got != modes {
		t.Errorf("mode accepts %s, want %s", got, modes)
	}
}

func TestDescribe(t *testing.T) {
	o, _ := Lookup("delay_up", OfPort)
	const want = `updelay: 0s to 596h31m23.647s; a bare number counts in ms
    How long a port's carrier must be up before the port is used. Not applied while no other port is up.
    default: 0s
    also called: delay_up
    in teamd.conf: link_watch.delay_up
`
	if got := o.Describe(); got != want {
		t.Errorf("got\n%s", got)
	}
	for _, o := range Options() {
		if o.Accepts() == "" {
			t.Errorf("%s accepts nothing", o.Name)
		}
	}
}

func BenchmarkConfig(b *testing.B) {
	s := Spec{Name: "bond0", Options: Settings{"mode": "balance-xor"}, Ports: []PortSpec{{Name: "eth1"}, {Name: "eth2"}}}
	for b.Loop() {
		s.Config()
	}
}
