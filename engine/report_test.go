package engine_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/agg"
)

var update = flag.Bool("update", false, "write the goldens in testdata anew")

// TestStatusTexts compares what status says in the situations that operators meet.
func TestStatusTexts(t *testing.T) {
	var out strings.Builder
	situation := func(title string, options map[string]string, ports []string, act func(r *rig)) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, spec(t, options, ports...))
			r.start()
			defer r.stop()
			r.quiet(time.Minute)
			act(r)
			fmt.Fprintf(&out, "## %s\n%s\n", title, text(r.status()))
		})
	}
	two := []string{"eth1", "eth2"}
	xor := map[string]string{"mode": "balance-xor"}
	situation("balance-xor, all well", xor, two, func(*rig) {})
	situation("active-backup, all well", nil, two, func(*rig) {})
	situation("a cable was pulled", xor, two, func(r *rig) {
		r.world.SetCarrier("eth2", false)
		r.quiet(3 * time.Second)
	})
	situation("a cable is back and updelay runs", map[string]string{"updelay": "5s"}, two, func(r *rig) {
		r.world.SetCarrier("eth1", false)
		r.quiet(10 * time.Second)
		r.world.SetCarrier("eth1", true)
		r.quiet(788 * time.Millisecond)
	})
	situation("a cable was pulled and downdelay runs", map[string]string{"downdelay": "5s"}, two, func(r *rig) {
		r.world.SetCarrier("eth1", false)
		r.quiet(time.Second)
	})
	situation("a port is set down, one is missing, others have no carrier", xor,
		[]string{"eth1", "eth2", "eth3", "eth4", "eth5", "eth6"}, func(r *rig) {
			r.world.Change("eth1", func(l *agg.LinkFacts) { l.AdminUp = false })
			r.world.DeleteLink("eth2")
			for _, name := range []string{"eth3", "eth4", "eth5", "eth6"} {
				r.world.SetCarrier(name, false)
			}
			r.quiet(2 * time.Hour)
		})
	situation("not watched", map[string]string{"watch": "none"}, two, func(r *rig) {
		r.world.SetCarrier("eth1", false)
		r.quiet(time.Second)
	})
	situation("the plane refuses everything after a pull", xor, two, func(r *rig) {
		r.world.Refuse(func(op string) error {
			if op == "apply" {
				return fmt.Errorf("device or resource busy")
			}
			return nil
		})
		r.world.SetCarrier("eth2", false)
		r.quiet(3 * time.Second)
	})
	situation("no ports", nil, nil, func(*rig) {})
	golden(t, "testdata/status.txt", out.String())
}

// text writes a status down the way this test reads it.
func text(s agg.Status) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nplan %d of %s, order %v, in force %v, blocked %v, shares %v\n",
		s.Summary, s.Plan.Generation, s.Plan.Select, s.Plan.Order, s.Plan.InForce, s.Plan.Blocked, s.Plan.Shares)
	for _, p := range s.Ports {
		fmt.Fprintf(&b, "%s (failures %d, reason %q)\n", p.Text, p.Failures, p.Reason)
		for _, g := range p.Gates {
			mark := "  shut"
			if g.OK {
				mark = "  open"
			}
			fmt.Fprintf(&b, "%s %-8s %-14s %s\n", mark, g.Name, g.Reason, g.Detail)
		}
	}
	for _, f := range s.Findings {
		fmt.Fprintf(&b, "finding %s, %s: %s [%s]\n", f.Code, f.Severity, f.Text, f.Remedy)
	}
	return b.String()
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		t.Errorf("%s: %v, got:\n%s", file, err, got)
	}
}
