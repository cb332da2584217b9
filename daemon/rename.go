package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
	"github.com/yokelag/yoke/plane/port"
)

// rename makes an aggregate follow its device, that somebody gave another name. Its engine
// and plane are closed for that and opened again as after a restart of the daemon, so
// nothing is lost where forwarding outlives the daemon.
func (r *registry) rename(ctx context.Context, a *aggregate, to string) error {
	if err := agg.CheckName(to); err != nil || reserved(to) {
		return errors.Join(err, fmt.Errorf("an aggregate cannot be called %s", to))
	}
	if _, err := r.get(to); err == nil || r.brokenOne(to) != nil {
		return fmt.Errorf("there is an aggregate %s already", to)
	}
	r.drop(a.name)
	if err := a.stop(); err != nil {
		r.log.Error("not closed in order", "aggregate", a.name, "error", err)
	}
	f := a.store.content()
	f.RenamedFrom, f.Formerly, f.Configured, f.Engine = a.name, a.name, nil, renamed(f.Engine, to)
	return r.adopt(ctx, f)
}

// renamed is the state of an aggregate under another name.
func renamed(s engine.Saved, to string) engine.Saved {
	s.Spec = s.Spec.Clone()
	s.Spec.Name = to
	s.Events = slices.Clone(s.Events)
	for i := range s.Events {
		s.Events[i].Aggregate = to
	}
	return s
}

// finishRename does what is left of a renaming: the new state file is the first thing that
// is written and the old one the last that goes, so that a crash between any two steps is
// made good by the next daemon.
func (r *registry) finishRename(f stateFile) (stateFile, error) {
	from, to := f.RenamedFrom, f.Engine.Spec.Name
	st := r.newStore(to)
	if err := st.replace(f); err != nil {
		return f, err
	}
	for _, suffix := range []string{port.Suffix, ".team.json", ".bonding.json", takeOverSuffix} {
		err := os.Rename(filepath.Join(r.dir, from+suffix), filepath.Join(r.dir, to+suffix))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	if err := r.world.Rename(f.Engine.Plane, from, to); err != nil {
		return f, err
	}
	if err := r.newStore(from).remove(); err != nil {
		return f, err
	}
	f.RenamedFrom = ""
	return f, st.replace(f)
}

// finishRenames completes what an earlier daemon began.
func (r *registry) finishRenames(states []stateFile) []stateFile {
	done := map[string]bool{}
	for i, f := range states {
		if f.RenamedFrom == "" {
			continue
		}
		var err error
		if states[i], err = r.finishRename(f); err != nil {
			r.log.Error("not renamed", "aggregate", f.RenamedFrom, "to", f.Engine.Spec.Name, "error", err)
		}
		done[f.RenamedFrom] = true
	}
	return slices.DeleteFunc(states, func(f stateFile) bool { return done[f.Engine.Spec.Name] })
}

// content is what the state file holds.
func (s *store) content() stateFile {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file
}

// replace writes another content.
func (s *store) replace(f stateFile) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.file = f
	return s.write()
}
