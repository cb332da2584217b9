package daemon

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// statuses adds to what aggregates say of themselves what files say of them, and what
// waits to be confirmed.
func (s *server) statuses(ctx context.Context, name string) (control.StatusList, error) {
	list, err := s.registry.statuses(ctx, name)
	if err != nil {
		return list, err
	}
	w, p := s.files.wanted(), s.confirmation.pending()
	told := false
	for i := range list.Aggregates {
		a := &list.Aggregates[i]
		a.Findings = append(adviseReordering(s.registry.world, *a), s.fileFindings(w, a.Spec)...)
		a.Findings = append(a.Findings, s.registry.matchFindings(a.Spec)...)
		a.Findings = append(a.Findings, s.registry.elsewhereFindings(*a)...)
		a.Findings = append(a.Findings, s.registry.addressFindings(ctx, *a)...)
		if p.Waiting && slices.Contains(p.Aggregates, a.Name) {
			a.Findings, told = append(a.Findings, unconfirmedFinding(p)), true
		}
	}
	for _, problem := range w.problems {
		list.Findings = append(list.Findings, agg.Finding{Code: "configuration-fault", Severity: "error", Text: "left out, with its whole file: " + withoutRemedy(problem), Remedy: problem.Remedy})
	}
	for _, problem := range s.unread {
		list.Findings = append(list.Findings, agg.Finding{Code: "state-fault", Severity: "error", Text: "left out: " + withoutRemedy(problem), Remedy: problem.Remedy})
	}
	if name == "" {
		list.Findings = append(list.Findings, s.undoneFindings(w)...)
	}
	if p.Waiting && name == "" && !told {
		list.Findings = append(list.Findings, unconfirmedFinding(p))
	}
	return list, nil
}

// undoneFindings tell of what files ask for that is not there, since it was undone.
func (s *server) undoneFindings(w wanted) (out []agg.Finding) {
	for _, spec := range w.specs {
		if _, err := s.registry.get(spec.Name); err != nil && s.files.isUndone(spec) {
			out = append(out, agg.Finding{Code: "undone", Severity: "warning",
				Text:   fmt.Sprintf("%s of %s was undone, and is not made again before the file is edited or the daemon starts", spec.Name, w.from[spec.Name]),
				Remedy: "`yoke apply` makes it now"})
		}
	}
	return out
}

func withoutRemedy(p *agg.Problem) string {
	q := *p
	q.Remedy = ""
	return q.Error()
}

func unconfirmedFinding(p control.Pending) agg.Finding {
	left := (time.Duration(p.LeftMS) * time.Millisecond).Round(100 * time.Millisecond)
	if p.Failed != "" {
		return agg.Finding{Code: "not-undone", Severity: "error", Text: fmt.Sprintf("%s could not be undone: %s; it is tried again in %v", p.What, p.Failed, left),
			Remedy: "`yoke confirm --undo` tries at once, `yoke confirm` keeps what is there now"}
	}
	return agg.Finding{Code: "unconfirmed", Severity: "warning", Text: fmt.Sprintf("%s is undone in %v", p.What, left), Remedy: "keep it with `yoke confirm`"}
}

// fileFindings say where an aggregate is not as its file wants it.
func (s *server) fileFindings(w wanted, running agg.Spec) []agg.Finding {
	file, asked := w.spec(running.Name)
	if !asked {
		if a, err := s.registry.get(running.Name); err == nil && a.store.fromFile() {
			return []agg.Finding{{Code: "file-gone", Severity: "info", Text: "no file asks for it any more",
				Remedy: fmt.Sprintf("`yoke save %s` writes one, `yoke down %s` takes it apart", running.Name, running.Name)}}
		}
		return nil
	}
	file = withFound(file, running)
	c, differs := difference("", &file, &running)
	if !differs {
		return nil
	}
	var texts []string
	for _, step := range c.Steps {
		texts = append(texts, fileText(step))
	}
	text := "differs from " + w.from[running.Name] + ": " + strings.Join(texts, "; ")
	if err := s.files.fault(running.Name); err != nil {
		text += " (the file is not in force: " + err.Error() + ")"
	}
	return []agg.Finding{{Code: "differs-from-file", Severity: "warning", Text: text,
		Remedy: fmt.Sprintf("`yoke apply` puts the files in force, `yoke save %s` writes what runs", running.Name)}}
}

// fileText words a step from file to what runs.
func fileText(s control.Step) string {
	whose := ""
	if s.Port != "" {
		whose = s.Port + ","
	}
	switch {
	case s.Option != "":
		return fmt.Sprintf("%s%s is %s, the file says %s", whose, s.Option, orNothing(s.To), orNothing(s.From))
	case s.Port != "" && s.From == "":
		return "port " + s.Port + " is not in the file"
	case s.Port != "":
		return "port " + s.Port + " of the file is not there"
	default:
		return "the ports are in the order " + s.To + ", the file says " + s.From
	}
}

func orNothing(value string) string {
	if value == "" {
		return "the default"
	}
	return value
}
