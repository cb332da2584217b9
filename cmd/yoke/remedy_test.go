package main

import (
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// A remedy ends with the command line that was given, its faults mended.
func TestCompleteRewritesTheCommandLine(t *testing.T) {
	fix := func(object, word, to string) *agg.Problem {
		return &agg.Problem{Object: object, Rule: "no", Remedy: "so", Fixes: []agg.Fix{{Word: word, To: to}}}
	}
	for _, c := range []struct {
		line string
		ps   agg.Problems
		want string
	}{
		{"up bond0 mimon=5 eth1", agg.Problems{fix("bond0", "mimon", "miimon=5")}, "so: `yoke up bond0 miimon=5 eth1`"},
		{"-o json up bond0 mimon=5 eth1 --socket /s", agg.Problems{fix("bond0", "mimon", "miimon=5")},
			"so: `yoke -o json up bond0 miimon=5 eth1 --socket /s`"},
		{"up bond0 num_unsol_na=999 eth1", agg.Problems{fix("bond0", "num_grat_arp", "num_grat_arp=255")}, "so: `yoke up bond0 num_grat_arp=255 eth1`"},
		{"up bond0 eth1,pri=3,sticky=on", agg.Problems{fix("eth1", "pri", "prio=3")}, "so: `yoke up bond0 eth1,prio=3,sticky=on`"},
		{"up bond0 eth1,pri=3", agg.Problems{fix("eth1", "pri", "")}, "so: `yoke up bond0 eth1`"},
		{"up bond0 eth1 eth1,prio=3", agg.Problems{fix("bond0", "eth1", "eth1")}, "so: `yoke up bond0 eth1`"},
		{"add bond0 eht1,prio=3", agg.Problems{fix("eht1", "eht1", "eth1")}, "so: `yoke add bond0 eth1,prio=3`"},
		{"set bond0 x=1", agg.Problems{fix("bond0", "mode", "mode=balance-xor")}, "so: `yoke set bond0 mode=balance-xor x=1`"},
		// What the aggregate has already is taken back.
		{"set bond0 mode=active-backup", agg.Problems{fix("bond0", "hash_map", ""), fix("eth1", "weight", "")},
			"so: `yoke set bond0 mode=active-backup hash_map= eth1,weight=`"},
		{"get bond0 mimon", agg.Problems{fix("", "mimon", "miimon=")}, "so: `yoke get bond0 miimon`"},
		{"set bond0 x=1", agg.Problems{{Option: "x", Remedy: "so"}}, "so; what works is in `yoke help options`"},
		// What would be left says nothing.
		{"set bond0 x=1", agg.Problems{fix("bond0", "x", "")}, "so"},
		// Two names for one port are no command either.
		{"up bond0 eth1 eth11", agg.Problems{fix("eth11", "eth11", "eth1")}, "so"},
		{"up bond0 a=1 b=2 eth1", agg.Problems{fix("bond0", "a", "c=1"), fix("bond0", "b", "d=$2")}, "so: `yoke up bond0 c=1 'd=$2' eth1`"},
		{"status -v", agg.Problems{{Rule: "no", Remedy: "`sudo yoke ...`"}}, "`sudo yoke status -v`"},
	} {
		complete(c.ps, strings.Fields(c.line))
		if got := c.ps[len(c.ps)-1].Remedy; got != c.want {
			t.Errorf("%s: got %q, want %q", c.line, got, c.want)
		}
	}
}
