package daemon

import (
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// What a file with another plane does to traffic is said before: a moment for planes that
// can follow each other, and else an aggregate that is made anew.
func TestPlaneInADifference(t *testing.T) {
	for _, c := range []struct {
		was, is string
		effect  control.Effect
		action  string
	}{
		{"ebpf", "user", control.Blip, control.ActionChange},
		{"team", "ebpf", control.Blip, control.ActionChange},
		{"", "team", control.Blip, control.ActionChange},
		{"user", "bonding", control.Blip, control.ActionChange},
		{"bonding", "team", control.Blip, control.ActionChange},
		{"user", "mem", control.Rebuild, control.ActionRebuild},
	} {
		spec := func(plane string) *agg.Spec {
			s := agg.Spec{Name: "bond0", Options: agg.Settings{}}
			if plane != "" {
				s.Options["plane"] = plane
			}
			return &s
		}
		d, ok := difference("", spec(c.was), spec(c.is))
		if !ok || len(d.Steps) != 1 || d.Steps[0].Effect != c.effect || d.Action != c.action {
			t.Errorf("from %q to %q: %+v", c.was, c.is, d.Change)
		}
	}
}
