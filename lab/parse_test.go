package lab

import (
	"strings"
	"testing"
)

func TestShippedLabsParse(t *testing.T) {
	names := Names()
	if len(names) < 5 {
		t.Fatalf("only %v are shipped", names)
	}
	for _, name := range names {
		f, err := Load(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f.Name != name || !strings.HasSuffix(f.Text, ".") || len(f.Expect) == 0 {
			t.Errorf("%s: name %q, text %q, %d expectations", name, f.Name, f.Text, len(f.Expect))
		}
	}
}

const small = `version: 1
name: small
hosts:
  a: {addresses: {p1: [10.0.0.1/24]}}
  b: {addresses: {p1: [10.0.0.2/24]}}
cables:
  c1: {ends: ["a:p1", "b:p1"]}
probes:
  out: {from: a, to: b}
duration: 1s
`

func TestParseFillsIn(t *testing.T) {
	f, err := Parse("small", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if p := f.Probes["out"]; p.Rate != 1000 || p.Size != 32 || p.Flows != 1 || p.Address != "10.0.0.2" {
		t.Errorf("probe %+v", p)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tc := range []struct{ name, replace, by, want string }{
		{"unknown key", "name: small", "nmae: small", `[2:1] unknown field "nmae"`},
		{"unknown key deep", "{from: a, to: b}", "{from: a, too: b}", `[9:18] unknown field "too"`},
		{"version", "version: 1", "version: 2", "reads version 1"},
		{"no version", "version: 1\n", "", "reads version 1"},
		{"lab name", "name: small", "name: ../../run/yoke/yoke", `[2:1] name: "../../run/yoke/yoke" cannot be a name`},
		{"no name", "name: small\n", "", `name: "" cannot be a name`},
		{"host name", "b: {addr", "../../escaped: {addr", `[5:3] hosts.../../escaped: "../../escaped" cannot be a name`},
		{"switch name", "hosts:", "switches: {a/b: {kind: bridge}}\nhosts:", `[3:12] switches.a/b: "a/b" cannot be a name`},
		{"group name", "hosts:", "switches: {s1: {kind: lacp, groups: {--help: [c1]}}}\nhosts:", `[3:38] switches.s1.groups.--help: "--help" cannot be a name`},
		{"cable name", "c1: {ends", "-c1: {ends", `[7:3] cables.-c1: "-c1" cannot be a name`},
		{"place in a list", "duration: 1s", "duration: 1s\nfaults:\n- {do: pull, cable: c1}\n- {do: pull, cable: c9}", `[13:3] faults[1]: there is no cable "c9"`},
		{"duration", "duration: 1s", "duration: soon", "soon"},
		{"ovs group", "hosts:", "switches: {s1: {kind: ovs, groups: {g: [c1]}}}\nhosts:", "has two cables or more"},
		{"LACP of a bridge", "hosts:", "switches: {s1: {kind: bridge, lacp_rate: fast}}\nhosts:", "a bridge speaks no LACP; write kind: lacp"},
		{"lacp_rate", "hosts:", "switches: {s1: {kind: lacp, lacp_rate: often}}\nhosts:", "is slow or fast"},
		{"Markers", "hosts:", "switches: {s1: {kind: ovs, ignore_markers: true}}\nhosts:", "is what kind: lacp does"},
		{"uplinks", "hosts:", "switches: {s1: {kind: lacp, uplink_tracking: [c1]}}\nhosts:", "is what kind: bridge does"},
		{"cable in two groups", "hosts:", "switches: {s1: {kind: lacp, groups: {g: [c1], h: [c1]}}}\nhosts:", "is in group g already"},
		{"ungroup", "duration: 1s", "duration: 1s\nfaults: [{do: ungroup, switch: s1, group: g}]", `switch "s1" has no group "g"`},
		{"aggregate", "duration: 1s", "duration: 1s\nexpect: [{aggregate: \"a:bond7\", carrying: 1}]", `there is no aggregate "a:bond7"`},
		{"unknown kind", "hosts:", "switches: {s1: {kind: hub}}\nhosts:", `kind "hub" is unknown`},
		{"group", "hosts:", "switches: {s1: {kind: bridge, groups: {g: [c1]}}}\nhosts:", "does not lead to this switch"},
		{"uplink", "hosts:", "switches: {s1: {kind: bridge, uplink_tracking: [c1]}}\nhosts:", "does not lead to this switch"},
		{"one end", `["a:p1", "b:p1"]`, `["a:p1"]`, "a cable has two ends"},
		{"same end twice", `["a:p1", "b:p1"]`, `["a:p1", "a:p1"]`, "a:p1 has cable c1 already"},
		{"no such host", `"b:p1"`, `"x:p1"`, `there is no host "x"`},
		{"no such switch", `"b:p1"`, `s9`, `"s9" is no switch`},
		{"probe host", "to: b", "to: x", `there is no host "x"`},
		{"rate", "to: b", "to: b, rate: 1000000", "rate must be 1 to 20000"},
		{"too many frames", "duration: 1s", "duration: 10h", "a run has at most 2000000"},
		{"fault action", "duration: 1s", "duration: 1s\nfaults: [{do: cut, cable: c1}]", `do: "cut" is unknown`},
		{"fault cable", "duration: 1s", "duration: 1s\nfaults: [{do: pull, cable: c9}]", `there is no cable "c9"`},
		{"kill without daemon", "duration: 1s", "duration: 1s\nfaults: [{do: kill, host: a}]", "so no daemon"},
		{"speed without number", "duration: 1s", "duration: 1s\nfaults: [{do: speed, cable: c1}]", "speed needs a number"},
		{"rate without number", "duration: 1s", "duration: 1s\nfaults: [{do: rate, cable: c1}]", "rate needs a number"},
		{"delay without time", "duration: 1s", "duration: 1s\nfaults: [{do: delay, cable: c1}]", "delay needs a time"},
		{"expectation", "duration: 1s", "duration: 1s\nexpect: [{lost: 1}]", "names one probe, one port or one aggregate"},
		{"option", "a: {", "a: {aggregates: {bond0: {mood: 1, ports: [p1]}}, ", "[4:34] mood: there is no such option; did you mean mode?"},
		{"option value", "a: {", "a: {aggregates: {bond0: {mode: best, ports: [p1]}}, ", "[4:34] mode=best: must be one of"},
		{"port option", "a: {", "a: {aggregates: {bond0: {ports: {p1: {prio: high}}}}, ", "prio=high: must be a whole number"},
		{"port without cable", "a: {", "a: {aggregates: {bond0: {ports: [p7]}}, ", "port p7 has no cable"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := strings.Replace(small, tc.replace, tc.by, 1)
			_, err := Parse("file.yaml", []byte(text))
			if err == nil {
				t.Fatalf("accepted:\n%s", text)
			}
			if !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "file.yaml: ") {
				t.Errorf("got %q, want %q in it", err, tc.want)
			}
		})
	}
}

func TestLoadNamesTheRemedy(t *testing.T) {
	_, err := Load("no-such-lab")
	if err == nil || !strings.Contains(err.Error(), "yoke lab list") {
		t.Errorf("got %v", err)
	}
}

// A lab that is broken at will has that fault and no other, and is as before otherwise.
func TestBreaking(t *testing.T) {
	f, err := Load("two-switches")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"c2", "a:p2"} {
		b, err := f.Breaking(name)
		if err != nil || len(b.Faults) != 2 || b.Faults[0].Do != Pull || b.Faults[0].Cable != "c2" || b.Faults[1].Do != Plug || b.Faults[1].At >= b.Duration || b.Expect != nil {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
	}
	if len(f.Expect) == 0 || f.Faults[0].Cable != "c1" {
		t.Errorf("the lab itself was changed: %+v", f)
	}
	if _, err := f.Breaking("c9"); err == nil || !strings.Contains(err.Error(), "break one of c1, c2, c3, isl") {
		t.Errorf("a cable that is not there: %v", err)
	}
}
