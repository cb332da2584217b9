package daemon

import (
	"context"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// bondCase is one case of testdata/bond-errors.txt: what was written to the bonding driver
// of Linux 6.1, by sysfs or iproute2, and what came of it.
type bondCase struct {
	title string
	taken bool
}

// readBondCases reads the verdict of each case: that of the last write or command that
// the case is about.
func readBondCases(t *testing.T) []bondCase {
	t.Helper()
	text, err := os.ReadFile("testdata/bond-errors.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []bondCase
	for block := range strings.SplitSeq("\n"+string(text), "\n== ") {
		title, rest, _ := strings.Cut(block, "\n")
		if title == "" {
			continue
		}
		taken := strings.Contains(rest, "\nresult: ok") || !strings.Contains(rest, "\nresult: ") && strings.Contains(rest, "\nexit: 0\n")
		out = append(out, bondCase{title, taken})
	}
	return out
}

// bondRow is what the same means to Yoke.
type bondRow struct {
	// up are the words of the aggregate that is there before; nil where there is none.
	up []string
	// down are ports without carrier.
	down []string
	// ask is what the kernel was asked for, option and code what a refusal must have.
	ask          func(r *rig) error
	option, code string
	// otherwise is why Yoke's verdict is another, on purpose.
	otherwise string
}

func askUp(words ...string) func(r *rig) error {
	return func(r *rig) error {
		spec, err := agg.ParseArgs("bond0", words)
		if err != nil {
			return err
		}
		_, err = r.client.Up(r.t.Context(), spec)
		return err
	}
}

func askSet(key, value string) func(r *rig) error {
	return func(r *rig) error {
		_, err := r.client.Set(r.t.Context(), "bond0", control.SetRequest{Set: map[string]string{key: value}})
		return err
	}
}

func askPort(port, key, value string) func(r *rig) error {
	return func(r *rig) error {
		_, err := r.client.Set(r.t.Context(), "bond0", control.SetRequest{Ports: map[string]map[string]string{port: {key: value}}})
		return err
	}
}

func askAdd(port string) func(r *rig) error {
	return func(r *rig) error {
		_, err := r.client.Add(r.t.Context(), "bond0", []agg.PortSpec{{Name: port}})
		return err
	}
}

// bondRows are the cases that concern these modes and their ports.
func bondRows() map[string]bondRow {
	rr, ab, xor := []string{"mode=balance-rr", "p0"}, []string{"mode=active-backup", "p0"}, []string{"mode=balance-xor", "p0"}
	lag := []string{"mode=802.3ad", "p0"}
	const live = "Yoke changes it while the device is up: the machines of LACP are told, and agree anew where they must"
	return map[string]bondRow{
		"min_links: negative":                              {up: rr, ask: askSet("min_links", "-1"), option: "min_links", code: "invalid-value"},
		"lacp_rate: unknown":                               {up: lag, ask: askSet("lacp_rate", "medium"), option: "lacp_rate", code: "invalid-value"},
		"lacp_rate: in active-backup":                      {up: ab, ask: askSet("lacp_rate", "fast"), option: "lacp_rate", code: "wrong-mode"},
		"lacp_rate: while up":                              {up: lag, ask: askSet("lacp_rate", "fast"), otherwise: live},
		"ad_select: while up":                              {up: lag, ask: askSet("ad_select", "count"), otherwise: live},
		"ad_actor_sys_prio: 0":                             {up: lag, ask: askSet("ad_actor_sys_prio", "0"), otherwise: "0 is a priority to the standard and to teamd, the best there is"},
		"ad_actor_sys_prio: 65536":                         {up: lag, ask: askSet("ad_actor_sys_prio", "65536"), option: "ad_actor_sys_prio", code: "invalid-value"},
		"ad_actor_system: multicast":                       {up: lag, ask: askSet("ad_actor_system", "01:80:c2:00:00:02"), option: "ad_actor_system", code: "invalid-value"},
		"ad_user_port_key: 1024":                           {up: lag, ask: askSet("ad_user_port_key", "1024"), option: "ad_user_port_key", code: "invalid-value"},
		"ip link: unknown lacp_rate":                       {ask: askUp("mode=802.3ad", "lacp_rate=medium"), option: "lacp_rate", code: "invalid-value"},
		"ip link: ad_actor_system multicast":               {ask: askUp("mode=802.3ad", "ad_actor_system=01:80:c2:00:00:02"), option: "ad_actor_system", code: "invalid-value"},
		"mode: unknown name":                               {ask: askUp("mode=bogus"), option: "mode", code: "invalid-value"},
		"mode: number out of range":                        {ask: askUp("mode=7"), option: "mode", code: "invalid-value"},
		"mode: changed while up":                           {up: rr, ask: askSet("mode", "active-backup"), option: "mode", code: "only-at-creation"},
		"mode: changed while it has ports":                 {up: rr, ask: askSet("mode", "active-backup"), option: "mode", code: "only-at-creation"},
		"miimon: negative":                                 {up: rr, ask: askSet("miimon", "-1"), option: "miimon", code: "invalid-value"},
		"miimon: not a number":                             {up: rr, ask: askSet("miimon", "abc"), option: "miimon", code: "invalid-value"},
		"primary: in balance-rr":                           {up: rr, ask: askSet("primary", "p0"), option: "primary", code: "wrong-mode"},
		"primary: interface that is not a port":            {up: ab, ask: askSet("primary", "p1")},
		"active_slave: not a port":                         {up: ab, ask: askSet("active_slave", "p1"), option: "active_slave", code: "not-a-port"},
		"active_slave: in balance-xor":                     {up: xor, ask: askSet("active_slave", "p0"), option: "active_slave", code: "wrong-mode"},
		"active_slave: port whose link is down":            {up: append(ab, "p1"), down: []string{"p1"}, ask: askSet("active_slave", "p1"), option: "active_slave", code: "port-down"},
		"updelay: without miimon":                          {up: append(ab, "watch=none"), ask: askSet("updelay", "100"), option: "updelay", code: "conflict"},
		"updelay: not a multiple of miimon (rounded down)": {up: append(ab, "miimon=100"), ask: askSet("updelay", "250")},
		"updelay: negative":                                {up: append(ab, "miimon=100"), ask: askSet("updelay", "-100"), option: "updelay", code: "invalid-value"},
		"xmit_hash_policy: unknown":                        {up: xor, ask: askSet("xmit_hash_policy", "layer5"), option: "xmit_hash_policy", code: "invalid-value"},
		"fail_over_mac: with ports":                        {up: ab, ask: askSet("fail_over_mac", "active"), option: "fail_over_mac", code: "has-ports"},
		"num_grat_arp: 256":                                {up: ab, ask: askSet("num_grat_arp", "256"), option: "num_grat_arp", code: "invalid-value"},
		"num_unsol_na shares its value with num_grat_arp":  {up: ab, ask: askSet("num_unsol_na", "7")},
		"packets_per_slave: 65536":                         {up: rr, ask: askSet("packets_per_slave", "65536"), option: "packets_per_slave", code: "invalid-value"},
		"packets_per_slave: in active-backup":              {up: ab, ask: askSet("packets_per_slave", "2"), option: "packets_per_slave", code: "wrong-mode"},
		"queue_id: interface is not a port":                {up: ab, ask: askPort("p1", "queue_id", "1"), code: control.CodeNotFound},
		"queue_id: number too big": {up: ab, ask: askPort("p0", "queue_id", "99"),
			otherwise: "Yoke's device has no set of queues that a number could exceed: it is the name of a class of frames"},
		"slaves: interface does not exist": {up: rr, ask: askAdd("nosuch"), code: "no-interface"},
		"slaves: remove one that is not a port": {up: rr, code: control.CodeNotFound, ask: func(r *rig) error {
			_, err := r.client.Remove(r.t.Context(), "bond0", "p1")
			return err
		}},
		"slaves: port that is up": {up: rr, ask: askAdd("p1"),
			otherwise: "Yoke takes a port that is up, without a moment in which its cable seems to be pulled"},
		"slaves: already a port of this bond": {up: rr, ask: askAdd("p0"), code: "duplicate-port"},
		"slaves: port of another bond": {up: rr, code: "port-busy", ask: func(r *rig) error {
			r.mustUp("bond1", "p1")
			return askAdd("p1")(r)
		}},
		"bonding_masters: name exists": {up: rr, ask: askUp("p1"), code: "duplicate-name"},
		"bonding_masters: remove one that does not exist": {code: control.CodeNotFound, ask: func(r *rig) error {
			_, err := r.client.Down(r.t.Context(), "bond5")
			return err
		}},
		"ip link: unknown mode":             {ask: askUp("mode=bogus"), option: "mode", code: "invalid-value"},
		"ip link: unknown xmit_hash_policy": {ask: askUp("mode=balance-xor", "xmit_hash_policy=layer5"), option: "xmit_hash_policy", code: "invalid-value"},
		"ip link: miimon not a number":      {ask: askUp("miimon=x"), option: "miimon", code: "invalid-value"},
		"ip link: enslave a port that is up": {up: rr, ask: askAdd("p1"),
			otherwise: "Yoke takes a port that is up, without a moment in which its cable seems to be pulled"},
		"ip link: enslave a bond to itself": {up: rr, ask: askAdd("bond0"), code: "own-port"},
		"ip link: queue_id too big": {up: ab, ask: askPort("p0", "queue_id", "99"),
			otherwise: "Yoke's device has no set of queues that a number could exceed: it is the name of a class of frames"},
		"ip link: bond_slave option on a device that is no port": {up: ab, ask: askPort("p1", "queue_id", "1"), code: control.CodeNotFound},
		"ip link: change mode while up":                          {up: rr, ask: askSet("mode", "active-backup"), option: "mode", code: "only-at-creation"},
		"ip link: active_slave that is not a port":               {up: ab, ask: askSet("active_slave", "p1"), option: "active_slave", code: "not-a-port"},
		"ip link: name exists":                                   {up: rr, ask: askUp("p1"), code: "duplicate-name"},
		"ip link: updelay without miimon":                        {ask: askUp("watch=none", "updelay=100"), option: "updelay", code: "conflict"},
	}
}

// elsewhere are the cases that are judged elsewhere, with the reason.
func elsewhere() map[string]string {
	const (
		arp  = "an option of ARP monitoring"
		poll = "Yoke watches in every mode, so there is nothing to switch on: watch=none alone says otherwise"
		tree = "syntax of the file in sysfs, which the API does not have"
		lo   = "a rule about the kernel's interfaces, which a dry run does not have: TestRefusals of plane/port"
	)
	out := map[string]string{}
	for reason, titles := range map[string][]string{
		arp: {
			"miimon: set while arp_interval is on", "arp_interval: set while miimon is on", "arp_interval: in 802.3ad", "arp_ip_target: no sign",
			"arp_ip_target: add 0.0.0.0", "arp_ip_target: add the same twice", "arp_ip_target: remove one that is not there", "arp_ip_target: 17th target",
			"arp_validate: in 802.3ad", "arp_validate: without arp_interval", "arp_all_targets: unknown",
			"ip link: miimon and arp_interval together", "ip link: arp_interval in 802.3ad",
		},
		poll:                            {"mode: changed while miimon is 0, to 802.3ad (miimon is switched on)"},
		"an option of mode balance-tlb": {"tlb_dynamic_lb: while up"},
		tree:                            {"slaves: no sign", "bonding_masters: no sign", "read-only attribute written"},
		lo:                              {"slaves: loopback", "ip link: enslave loopback"},
	} {
		for _, title := range titles {
			out[title] = reason
		}
	}
	return out
}

// Every case of the bonding driver's refusals has the driver's verdict here too, with option,
// rule and remedy, and a refusal leaves what runs as it was.
func TestBondingsVerdicts(t *testing.T) {
	rows, others := bondRows(), elsewhere()
	for _, c := range readBondCases(t) {
		row, here := rows[c.title]
		_, there := others[c.title]
		if here == there {
			t.Errorf("%s: neither judged here nor listed with a reason", c.title)
		}
		delete(rows, c.title)
		delete(others, c.title)
		if here {
			t.Run(c.title, func(t *testing.T) { row.judge(t, c.taken) })
		}
	}
	for title := range rows {
		t.Errorf("%s: there is no such case", title)
	}
	for title := range others {
		t.Errorf("%s: there is no such case", title)
	}
}

func (row bondRow) judge(t *testing.T, taken bool) {
	r := newRig(t, "p0", "p1")
	r.start()
	for _, port := range row.down {
		r.w.mem.SetCarrier(port, false)
	}
	if row.up != nil {
		r.mustUp("bond0", row.up...)
	}
	before := r.what()
	err := row.ask(r)
	if row.otherwise != "" {
		if (err == nil) == taken {
			t.Errorf("the verdict is bonding's (%v), and not another because %s", err, row.otherwise)
		}
		return
	}
	if taken {
		if err != nil {
			t.Errorf("bonding takes it: %v", err)
		}
		return
	}
	refused(t, err, row.code)
	for _, p := range control.ProblemsOf(err) {
		if p.Option != row.option || p.Rule == "" {
			t.Errorf("the option is %q, want %q: %v", p.Option, row.option, p)
		}
	}
	after := r.what()
	after = slices.DeleteFunc(after, func(k kept) bool { return k.Spec.Name == "bond1" })
	if !reflect.DeepEqual(before, after) {
		t.Errorf("the refusal changed\n%+v to\n%+v", before, after)
	}
}

// kept is what a refusal leaves.
type kept struct {
	Spec       agg.Spec
	Generation uint64
	Order      []string
}

func (r *rig) what() []kept {
	r.t.Helper()
	l, err := r.client.List(context.Background())
	if err != nil {
		r.t.Fatal(err)
	}
	out := []kept{}
	for _, a := range l.Aggregates {
		out = append(out, kept{a.Spec, a.Plan.Generation, a.Plan.Order})
	}
	return out
}
