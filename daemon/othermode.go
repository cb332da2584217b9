package daemon

import (
	"slices"
	"strings"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// inOtherMode words the refusals of a change for an aggregate that is there: what needs
// another mode needs the aggregate made anew, because its mode is chosen when it is made.
func inOtherMode(after agg.Spec, unfit error) error {
	problems := control.ProblemsOf(unfit)
	for _, p := range problems {
		i := slices.IndexFunc(p.Fixes, func(f agg.Fix) bool { return f.Word == "mode" })
		if p.Code != "wrong-mode" || i < 0 {
			continue
		}
		p.Remedy = "leave it out"
		other := after.Clone()
		_, mode, _ := strings.Cut(p.Fixes[i].To, "=")
		if err := other.Options.Set(agg.OfAggregate, "mode", mode); err == nil && other.Validate() == nil {
			p.Remedy += ", or make the aggregate anew, " + remake(other)
		}
		p.Fixes = slices.Delete(p.Fixes, i, i+1)
	}
	return problems.Err()
}
