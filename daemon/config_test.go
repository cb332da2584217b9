package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
)

func TestConfigForms(t *testing.T) {
	want := agg.Spec{Name: "bond0", Options: agg.Settings{"mode": "active-backup", "miimon": "50ms"}, Ports: []agg.PortSpec{
		{Name: "eth1"}, {Name: "eth2", Options: agg.Settings{"prio": "10"}},
	}}
	for name, text := range map[string]string{
		"flat":         "mode: active-backup\nmiimon: 50\nports:\n  - eth1\n  - name: eth2\n    prio: 10\n",
		"named":        "# a comment\nname: bond0\nversion: 1\nmode: 1\nmiimon: 50ms\nports: [eth1, {name: eth2, prio: 10}]\n",
		"key is name":  "mode: activebackup\nmiimon: 50\nports:\n  - eth1\n  - eth2: {prio: 10}\n",
		"ports as map": "mode: active-backup\nmiimon: 50\nports:\n  eth1:\n  eth2:\n    prio: 10\n",
		"several":      "version: 1\naggregates:\n  bond0:\n    mode: active-backup\n    miimon: 50\n    ports:\n      eth1: {}\n      eth2: {prio: 10}\n",
	} {
		file := "bond0"
		if name == "named" || name == "several" {
			file = "other"
		}
		got, err := parseConfig("f.yaml", file, []byte(text))
		if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestConfigRefusals(t *testing.T) {
	for text, want := range map[string]string{
		"mode: active-backup\nmimon: 100\n":    "f.yaml:2:1: mimon: there is no such option; did you mean miimon?",
		"ports:\n  - name: eth1\n    pri: 3\n": "f.yaml:3:5: pri: there is no such option; did you mean prio?",
		"mtu: 1\n":                             "f.yaml:1:6: mtu=1: must be a whole number from 68 to 65535",
		"prots: [eth1]\n":                      "f.yaml:1:1: prots: there is no such option; did you mean ports?",
		"mde: {a: b}\n":                        "f.yaml:1:1: mde: there is no such option; did you mean mode?",
		"mtu: [1]\n":                           "mtu: wants one value",
		"mtu: 1500\nmtu: 1501\n":               "f.yaml:2:1: mapping key \"mtu\" already defined at [1:1]",
		"mode: [\n":                            "f.yaml:1:7: sequence end token",
		"mtu: 1500\nmode: 1\x00\n":             "f.yaml:2:8: holds a NUL byte",
		"mode: \xff\n":                         "f.yaml:1:7: is not UTF-8",
		"runner: lacp\nmode: 1\n":              "f.yaml:2:1: mode: is another name of mode",
		"mode: 1\nrunner: activebackup\n":      "f.yaml:2:1: runner: is another name of mode",
		"mode: 1\nxmit_hash_policy: layer2\n":  "f.yaml:2:19: xmit_hash_policy=layer2: does nothing in mode active-backup",
		"ports: [eth1, eth1]\n":                "port eth1 is named twice",
		"ports:\n - eth1\n - prio: 7\n   weight: 3\n   name: eth2\n": "f.yaml:4:12: weight=3: does nothing",
		"aggregates:\n  a: {mtu: 1}\n":                               "f.yaml:2:12: mtu=1",
		"mtu: &x [1]\nb: *x\n":                                       "f.yaml:1:6: mtu: wants one value",
		"mode: &m 1\n":                                               "f.yaml:1:7: mode: wants one value",
		"version: 9\n":                                               "this yoked reads version 1",
		"- a\n":                                                      "wants keys and values here",
	} {
		_, err := parseConfig("f.yaml", "bond0", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestFaultyFileIsLeftOutOfADirectory(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.yaml": "ports: [eth1]\n", "b.yaml": "mod: 1\n", "c.yaml": "mode: 1\nxmit_hash_policy: layer2\n", "d.txt": "?"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	specs, err := loadConfig(Options{Config: dir})
	if len(specs) != 1 || specs[0].Name != "a" {
		t.Errorf("got %+v", specs)
	}
	for _, want := range []string{"b.yaml:1:1: mod: there is no such option; did you mean mode?", "c.yaml:2:19: xmit_hash_policy=layer2: does nothing in mode active-backup"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
}

// What no editor wrote is refused soon, and never by a crash.
func TestConfigBombs(t *testing.T) {
	aliases := "a: &a [x]\n"
	for i := range 30 {
		aliases += fmt.Sprintf("b%d: &b%d [*a, *a, *a, *a]\n", i, i)
	}
	for name, text := range map[string]string{
		"brackets": strings.Repeat("[", 1<<20),
		"braces":   "ports: " + strings.Repeat("{a: ", 1<<18),
		"dashes":   strings.Repeat("- ", 1<<17),
		"indents":  indents(200),
		"aliases":  aliases,
		"large":    strings.Repeat("# comment\n", maxFile/10+1),
		"keys":     strings.Repeat("x: 1\n", 1<<12),
	} {
		begin := time.Now()
		_, err := source{path: "f.yaml", text: []byte(text)}.parse()
		if err == nil {
			t.Errorf("%s: taken", name)
		}
		t.Logf("%s: %v, %.80s", name, time.Since(begin), err)
	}
}

func indents(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// A file of the largest size that is meant to work.
func TestThousandAggregatesInOneFile(t *testing.T) {
	var b strings.Builder
	b.WriteString("aggregates:\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "  bond%d:\n    mode: balance-xor\n    miimon: 100\n    ports:\n      - p%da\n      - {name: p%db, weight: 2}\n", i, i, i)
	}
	begin := time.Now()
	specs, err := parseConfig("f.yaml", "f", []byte(b.String()))
	if err != nil || len(specs) != 1000 {
		t.Fatalf("%d specs, %v", len(specs), err)
	}
	t.Logf("%d bytes in %v", b.Len(), time.Since(begin))
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte("mode: 1\nports: [eth1, {name: eth2, prio: 10}]\n"))
	f.Add([]byte("aggregates: {a: {ports: {b: }}}\n"))
	f.Add([]byte("? [x]\n: &a *a\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if specs, err := parseConfig("f", "bond0", text); err == nil {
			for _, s := range specs {
				_ = s.Validate()
			}
		}
	})
}
