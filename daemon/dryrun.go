package daemon

import (
	"context"
	"fmt"
	"strings"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// wouldUp makes every check of an aggregate that is asked for, and tells what would be made.
// Nothing is changed.
func (r *registry) wouldUp(ctx context.Context, asked agg.Spec, takeOver bool) (control.StatusList, error) {
	out := control.StatusList{Version: control.Version, Aggregates: []agg.Status{}}
	spec, err := r.resolvedNow(asked)
	if err == nil && takeOver {
		err = r.checkApart(ctx, spec)
	} else if err == nil {
		err = r.checkWould(ctx, spec)
	}
	if err != nil {
		return out, err
	}
	plane, why := r.choosePlane(spec)
	c := spec.Config()
	var names []string
	for _, p := range spec.Ports {
		names = append(names, p.Word())
	}
	text := fmt.Sprintf("%s would be made in mode %s on plane %s (%s) of %s", spec.Name, c.Mode, plane, why, strings.Join(names, ", "))
	if len(names) == 0 {
		text = fmt.Sprintf("%s would be made in mode %s on plane %s (%s), without ports yet", spec.Name, c.Mode, plane, why)
	}
	words := strings.Join(append([]string{"yoke", "up", spec.Name}, asked.Args()...), " ")
	if takeOver {
		words += " --take-over"
	}
	out.Findings = append(out.Findings, agg.Finding{Code: "dry-run", Severity: "info", Text: text, Remedy: "nothing was changed; `" + words + "` does it"})
	for _, m := range spec.Match {
		if len(spec.Ports) == len(spec.Named().Ports) {
			out.Findings = append(out.Findings, agg.Finding{Code: "match-fits-nothing", Severity: "warning", Text: "no interface fits " + m.Match.String() + " now; one that appears is taken"})
		}
	}
	return out, nil
}

// checkWould is what up checks before the first change.
func (r *registry) checkWould(ctx context.Context, spec agg.Spec) error {
	r.change.Lock()
	defer r.change.Unlock()
	if err := r.checkNew(ctx, spec, false); err != nil {
		return err
	}
	return r.checkRoom(spec.Name)
}
