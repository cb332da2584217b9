package bonding

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
)

// fake is a driver with the side effects of the real one.
type fake struct {
	State
	refuse string
	log    []string
}

func newFake() *fake {
	return &fake{State: State{Name: "bond0", Options: Values{
		"mode": "1", "miimon": "100", "updelay": "200", "downdelay": "0", "peer_notif_delay": "0", "arp_interval": "0",
		"arp_validate": "0", "arp_ip_target": "", "xmit_hash_policy": "0", "resend_igmp": "1", "num_grat_arp": "1",
		"all_slaves_active": "0", "primary_reselect": "0", "min_links": "0", "lp_interval": "1", "fail_over_mac": "0", "primary": "0", "active_slave": "0",
	}}}
}

func (f *fake) read() (State, error) {
	s := f.State
	s.Options = maps.Clone(f.Options)
	return s, nil
}

func (f *fake) set(a Attribute, value string) error {
	f.log = append(f.log, a.Name+"="+value)
	if a.Name == f.refuse {
		return unix.EINVAL
	}
	old := f.Options[a.Name]
	f.Options[a.Name] = value
	switch a.Name {
	case "miimon":
		if positive(value) {
			f.Options["arp_interval"], f.Options["arp_validate"] = "0", "0"
		}
		f.rescale("updelay", old, value)
	case "arp_interval":
		if positive(value) {
			f.Options["miimon"], f.Options["updelay"] = "0", "0"
		}
	case "updelay":
		if f.Options["miimon"] == "0" && positive(value) {
			return unix.EPERM
		}
	}
	return nil
}

func (f *fake) rescale(name, old, now string) {
	var delay, before, after int
	fmt.Sscan(f.Options[name]+" "+old+" "+now, &delay, &before, &after)
	if before > 0 {
		f.Options[name] = itoa(delay / before * after)
	}
}

// A change reaches its target whatever the driver does with the other options.
func TestChange(t *testing.T) {
	for name, c := range map[string]struct{ want, then Values }{
		"a shorter period keeps the delay":    {Values{"miimon": "50"}, Values{"miimon": "50", "updelay": "200"}},
		"ARP instead of the carrier":          {Values{"arp_interval": "500", "arp_validate": "3"}, Values{"miimon": "0", "updelay": "0", "arp_interval": "500", "arp_validate": "3"}},
		"the delay with a new period":         {Values{"updelay": "300", "miimon": "30"}, Values{"miimon": "30", "updelay": "300"}},
		"another option, and nothing besides": {Values{"resend_igmp": "3"}, Values{"resend_igmp": "3", "updelay": "200"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			want := maps.Clone(f.Options)
			maps.Copy(want, c.then)
			if err := change(f, c.want); err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(f.Options, want) {
				t.Errorf("by %v:\n%v, want\n%v", f.log, f.Options, want)
			}
		})
	}
	f := newFake()
	if err := change(f, Values{"resend_igmp": "1", "miimon": "100"}); err != nil || len(f.log) != 0 {
		t.Errorf("a change to what is there wrote %v; %v", f.log, err)
	}
}

// Whatever option is refused, all are as they were before.
func TestRollback(t *testing.T) {
	want := Values{"arp_interval": "500", "arp_validate": "3", "arp_ip_target": "192.0.2.1", "resend_igmp": "3", "primary_reselect": "2"}
	for name := range want {
		f := newFake()
		before := maps.Clone(f.Options)
		f.refuse = name
		err := change(f, want)
		var refused *Refused
		if !errors.As(err, &refused) || refused.Option != name || !errors.Is(err, unix.EINVAL) {
			t.Errorf("%s: %v", name, err)
		}
		if !maps.Equal(f.Options, before) {
			t.Errorf("%s: by %v:\n%v, was\n%v", name, f.log, f.Options, before)
		}
	}
}

// What the rules forbid is refused by option, with rule and remedy, and nothing is written.
func TestRules(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*fake)
		want  Values
		code  string
	}{
		"mode":             {func(f *fake) { f.Up = true }, Values{"mode": "4"}, "device-up"},
		"fail_over_mac":    {func(f *fake) { f.Ports = []Port{{Name: "p0"}} }, Values{"fail_over_mac": "1"}, "has-ports"},
		"lacp_rate":        {nil, Values{"lacp_rate": "1"}, "wrong-mode"},
		"updelay":          {func(f *fake) { f.Options["miimon"] = "0" }, Values{"updelay": "100"}, "conflict"},
		"downdelay":        {nil, Values{"downdelay": "250"}, "conflict"},
		"arp_validate":     {func(f *fake) { f.Options["miimon"] = "0" }, Values{"arp_validate": "1"}, "conflict"},
		"arp_interval":     {nil, Values{"arp_interval": "100", "miimon": "100"}, "conflict"},
		"active_slave":     {nil, Values{"active_slave": "7"}, "not-a-port"},
		"peer_notif_delay": {func(f *fake) { delete(f.Options, "peer_notif_delay") }, Values{"peer_notif_delay": "100"}, "old-kernel"},
	} {
		f := newFake()
		if c.spoil != nil {
			c.spoil(f)
		}
		c.want["resend_igmp"] = "3"
		err := change(f, c.want)
		var problems agg.Problems
		if !errors.As(err, &problems) || len(problems) == 0 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		p := problems[0]
		if p.Option != name || p.Code != c.code || p.Rule == "" || p.Remedy == "" || len(f.log) != 0 {
			t.Errorf("%s: %+v after %v", name, p, f.log)
		}
	}
}

// Every case of the kernel's refusals that the text alone shows is refused before the
// kernel is asked; the others are for the rules, or accepted.
func TestTextsOfTheKernelsErrors(t *testing.T) {
	for _, r := range readRows(t) {
		a, _ := named(Attributes(), r.option)
		_, err := a.Kernel("bond0", r.value, func(string) int { return 0 })
		bad := false
		for _, word := range []string{"unknown", "out of range", "negative", "not a number", "65536", "1024", "256", "prio: 0", "multicast", "0.0.0.0"} {
			bad = bad || strings.Contains(r.title, word)
		}
		var p *agg.Problem
		if bad && (!errors.As(err, &p) || p.Option != r.option || p.Rule == "" || p.Remedy == "") {
			t.Errorf("%s: %s=%s: %v", r.title, r.option, r.value, err)
		}
	}
}
