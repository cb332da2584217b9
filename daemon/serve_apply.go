package daemon

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// apply shows what differs between files and what runs, and puts the files in force.
func (s *server) apply(r *http.Request) (any, error) {
	request, err := read[control.ApplyRequest](r)
	if err != nil {
		return nil, err
	}
	s.applying.Lock()
	defer s.applying.Unlock()
	w := s.requested(request)
	if w.problems != nil {
		return nil, w.problems
	}
	if w, err = s.registry.resolveWanted(w); err != nil {
		return nil, err
	}
	ctx := context.WithoutCancel(r.Context()) // a client that goes away leaves nothing half made
	now, err := s.registry.specs(ctx)
	if err != nil {
		return nil, err
	}
	changes, same := compare(now, w)
	out := control.Difference{Version: control.Version, Changes: []control.Change{}, Unchanged: same}
	if request.Files == nil {
		gone, findings := s.unasked(now, w, request.Prune)
		changes, out.Findings = append(changes, gone...), findings
	}
	for _, c := range ordered(changes) {
		out.Changes = append(out.Changes, c.Change)
	}
	if err := s.registry.checkAll(changes); err != nil {
		return nil, err
	}
	if request.DryRun {
		return out, nil
	}
	if err := mayRebuild(changes, request); err != nil {
		return nil, err
	}
	running, _ := s.registry.list()
	if len(changes) > 0 {
		confirm := time.Duration(request.ConfirmMS) * time.Millisecond
		err = s.confirmation.around("apply of "+namesOf(changes), confirm, s.registry.pastOf(ctx, changes), func() error {
			err := s.registry.make(ctx, changes)
			if err == nil && request.Files == nil {
				s.files.redone()
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		out.Findings = append(out.Findings, s.registry.movesOf(running, changes)...)
	}
	if request.Files == nil {
		s.files.failed(nil)
		if err := s.registry.remember(w); err != nil {
			return nil, err
		}
	}
	out.Applied = true
	if p := s.confirmation.pending(); p.Waiting {
		out.Pending = &p
	}
	return out, nil
}

// requested is what the files of the request say, or the daemon's own, read anew.
func (s *server) requested(request control.ApplyRequest) wanted {
	if request.Files == nil {
		return s.files.read()
	}
	var sources []source
	for _, f := range request.Files {
		sources = append(sources, source{f.Path, []byte(f.Text)})
	}
	return parseSources(sources)
}

// unasked finds aggregates that came of files which ask for them no more: what to take
// apart where that is wanted, and what to say of them where it is not.
func (s *server) unasked(now map[string]agg.Spec, w wanted, prune bool) (gone []change, findings []agg.Finding) {
	all, _ := s.registry.list()
	for _, a := range all {
		if _, asked := w.spec(a.name); asked || !a.store.fromFile() {
			continue
		}
		if !prune {
			findings = append(findings, agg.Finding{Code: "file-gone", Severity: "info", Text: a.name + ": no file asks for it any more; it stays",
				Remedy: "`yoke apply --prune` takes it apart"})
			continue
		}
		spec := now[a.name]
		c, _ := difference("", &spec, nil)
		gone = append(gone, c)
	}
	return gone, findings
}

// mayRebuild refuses steps that stop traffic unless they are asked for.
func mayRebuild(changes []change, request control.ApplyRequest) error {
	if request.Rebuild {
		return nil
	}
	var out agg.Problems
	for _, c := range changes {
		if c.Action != control.ActionRebuild {
			continue
		}
		var options []string
		for _, step := range c.Steps {
			if step.Effect == control.Rebuild {
				options = append(options, step.Option)
			}
		}
		out = append(out, &agg.Problem{Code: "needs-rebuild", Object: c.Aggregate,
			Rule:   strings.Join(options, ", ") + " can be had only by making the aggregate anew, and its traffic stops meanwhile",
			Remedy: "`yoke apply --rebuild` does so and keeps its addresses and routes; nothing was changed"})
	}
	return out.Err()
}

// namesOf names a few aggregates and counts the others.
func namesOf(changes []change) string {
	var names []string
	for _, c := range changes {
		names = append(names, c.Aggregate)
	}
	slices.Sort(names)
	const few = 5
	if len(names) > few {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
	}
	return strings.Join(names, ", ")
}

func (s *server) getPending(*http.Request) (any, error) { return s.confirmation.pending(), nil }

func (s *server) confirm(r *http.Request) (any, error) { return s.confirmation.confirm(r.Context()) }

func (s *server) undo(r *http.Request) (any, error) { return s.confirmation.undo(r.Context()) }
