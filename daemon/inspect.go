package daemon

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/engine"
)

// Inspect tells what saved state and the planes say of aggregates that no daemon looks
// after: the named one, or all. It takes the lock of the state directory, so that no
// daemon starts meanwhile; where one holds it, the error is for [IsServed].
func Inspect(ctx context.Context, stateDir, name string) (control.StatusList, error) {
	if files, err := filepath.Glob(filepath.Join(stateDir, "*"+stateSuffix)); err == nil && len(files) == 0 {
		return control.StatusList{Version: control.Version, Aggregates: []agg.Status{}}, nil
	}
	lock, err := lockState(stateDir, 0)
	if err != nil {
		return control.StatusList{}, err
	}
	defer lock.Close()
	w, err := newKernelWorld(stateDir, true, slog.New(slog.DiscardHandler))
	if err != nil {
		return control.StatusList{}, err
	}
	out, err := inspect(ctx, w, stateDir, name)
	return out, errors.Join(err, w.Close())
}

// IsServed reports whether Inspect found a daemon there, which perhaps does not answer
// yet, or is dying.
func IsServed(err error) bool { return control.HasCode(err, codeServed) }

// inspect is Inspect in a given world.
func inspect(ctx context.Context, w world, stateDir, name string) (control.StatusList, error) {
	out := control.StatusList{Version: control.Version, Aggregates: []agg.Status{}}
	states, unread, err := readStates(stateDir, w.BootID())
	if err != nil {
		return out, err
	}
	for _, p := range unread {
		out.Findings = append(out.Findings, agg.Finding{Code: "state-fault", Severity: "error", Text: "left out: " + withoutRemedy(p), Remedy: p.Remedy})
	}
	if err := checkNamespaces(stateDir, states, w.Namespace()); err != nil {
		return out, err
	}
	var names []string
	for _, f := range states {
		names = append(names, f.Engine.Spec.Name)
		if name != "" && f.Engine.Spec.Name != name {
			continue
		}
		s, err := inspectOne(ctx, w, f.Engine)
		if err != nil {
			return out, err
		}
		out.Aggregates = append(out.Aggregates, s)
	}
	if name != "" && len(out.Aggregates) == 0 {
		return out, notFound(name, names)
	}
	return out, nil
}

func inspectOne(ctx context.Context, w world, saved engine.Saved) (agg.Status, error) {
	plane, err := w.ReadPlane(ctx, saved.Plane, saved.Spec)
	if err != nil {
		return agg.Status{}, err
	}
	s, err := engine.Inspect(ctx, engine.World{Plane: plane, Links: w.Links(), Clock: w.Clock()}, saved)
	return s, errors.Join(err, plane.Close())
}
