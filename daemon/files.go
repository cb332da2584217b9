package daemon

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// quiet is how long files must be left alone before they are read: who writes one may
// write the next, or the other half.
const quiet = 300 * time.Millisecond

// files are the configuration files and what they say.
type files struct {
	o  Options
	mu sync.Mutex
	// now is what they said when they were last read, and faults what could not be put in
	// force of it, by aggregate.
	now    wanted
	faults map[string]error
	// undone is what they said of aggregates whose change was undone, by aggregate. It is not
	// put in force again by itself as long as they say the same.
	undone map[string]agg.Spec
}

func newFiles(o Options, now wanted) *files {
	return &files{o: o, now: now, undone: map[string]agg.Spec{}}
}

func (f *files) wanted() wanted {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *files) read() wanted {
	w := loadWanted(f.o)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = w
	maps.DeleteFunc(f.undone, func(name string, said agg.Spec) bool {
		spec, asked := w.spec(name)
		return !asked || !sameWords(spec, said)
	})
	return w
}

// undo notes that aggregates are again what they were before, nil where there was none,
// which is not what the files say.
func (f *files) undo(before map[string]*agg.Spec) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, was := range before {
		if said, asked := f.now.spec(name); asked && (was == nil || !sameWords(*was, said)) {
			f.undone[name] = said.Clone()
		}
	}
}

// isUndone reports whether the spec, which the files said when they were read last, was
// undone, and nobody has edited it since.
func (f *files) isUndone(spec agg.Spec) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	said, ok := f.undone[spec.Name]
	return ok && sameWords(said, spec)
}

// redone forgets what was undone: it is in force again.
func (f *files) redone() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.undone)
}

func sameWords(a, b agg.Spec) bool { return slices.Equal(a.Args(), b.Args()) }

func (f *files) failed(faults map[string]error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = faults
}

func (f *files) fault(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.faults[name]
}

// watch calls changed after the files were changed and left alone, until ctx ends. Where
// the kernel cannot watch, it returns an error at once.
func (f *files) watch(ctx context.Context, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch configuration: %w", err)
	}
	defer w.Close()
	path, err := filepath.Abs(configPath(f.o))
	if err != nil {
		return fmt.Errorf("watch configuration: %w", err)
	}
	wait := time.NewTimer(0)
	<-wait.C
	seen := nearestDirectory(w, path)
	if !reflect.DeepEqual(loadWanted(f.o), f.wanted()) {
		wait.Reset(quiet) // what was written before somebody watched is not missed
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-w.Events:
			if !ok {
				return nil
			}
			if e.Has(fsnotify.Chmod) && !strings.HasPrefix(e.Name, path) || !related(e.Name, path) {
				continue
			}
			wait.Reset(quiet)
		case _, ok := <-w.Errors: // an overrun: something changed
			if !ok {
				return nil
			}
			wait.Reset(quiet)
		case <-wait.C:
			// Directories come and go, by package managers say.
			again := nearestDirectory(w, path)
			if again != seen {
				seen = again
				wait.Reset(quiet) // what came between is not missed
			}
			changed()
		}
	}
}

// related reports whether a change of name can be one of path or of a file in it.
func related(name, path string) bool {
	return strings.HasPrefix(name, path) || strings.HasPrefix(path, name)
}

// nearestDirectory watches path, or the nearest directory above it that there is, and
// what contains path, which may be renamed over.
func nearestDirectory(w *fsnotify.Watcher, path string) string {
	_ = w.Add(filepath.Dir(path))
	for ; w.Add(path) != nil && path != filepath.Dir(path); path = filepath.Dir(path) {
	}
	return path
}

// follow puts in force what was edited since it last was; what commands changed stays
// where its file was not touched, and so does what was undone. Nothing is rebuilt or taken
// apart by this: that is for `yoke apply`.
func (s *server) follow(ctx context.Context) {
	s.applying.Lock()
	defer s.applying.Unlock()
	if s.confirmation.pending().Waiting {
		s.log.Info("configuration changed; it is read when the change that waits is confirmed or undone")
		return
	}
	w := s.files.read()
	for _, p := range w.problems {
		s.log.Error("configuration left out", "problem", p.Error())
	}
	edited := wanted{from: w.from}
	for _, spec := range w.specs {
		if s.files.isUndone(spec) {
			continue
		}
		if a, err := s.registry.get(spec.Name); err != nil || !a.store.unedited(spec) {
			edited.specs = append(edited.specs, spec)
		}
	}
	now, err := s.registry.specs(ctx)
	if err == nil {
		edited, err = s.registry.resolveWanted(edited)
	}
	if err != nil {
		s.log.Error("configuration not in force", "error", err)
		return
	}
	changes, _ := compare(now, edited)
	faults := map[string]error{}
	var live []change
	for _, c := range changes {
		if c.Action == control.ActionRebuild {
			faults[c.Aggregate] = needsRebuild(c)
			continue
		}
		live = append(live, c)
	}
	s.followEach(ctx, live, faults)
	for name, err := range faults {
		s.log.Error("configuration not in force", "aggregate", name, "file", w.from[name], "error", err)
	}
	s.files.failed(faults)
	done := wanted{from: w.from}
	for _, spec := range edited.specs {
		if faults[spec.Name] == nil {
			done.specs = append(done.specs, spec)
		}
	}
	if err := s.registry.remember(done); err != nil {
		s.log.Error("state not saved", "error", err)
	}
}

// followFiles puts changed files in force until the function it returns is called.
func (s *server) followFiles(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err := s.files.watch(ctx, func() { s.follow(context.WithoutCancel(ctx)) })
		if err != nil {
			s.log.Warn("changed files are not noticed; `yoke apply` reads them", "error", err)
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// followEach makes all changes together, because ports may move between aggregates, and
// where that fails each that can be made by itself.
func (s *server) followEach(ctx context.Context, changes []change, faults map[string]error) {
	together := s.registry.checkAll(changes)
	if together == nil {
		together = s.registry.make(ctx, changes)
	}
	for _, c := range changes {
		if together != nil {
			err := s.registry.checkAll([]change{c})
			if err == nil {
				err = s.registry.make(ctx, []change{c})
			}
			if err != nil {
				faults[c.Aggregate] = err
				continue
			}
		}
		s.log.Info("configuration applied", "aggregate", c.Aggregate, "file", c.File, "action", c.Action)
	}
}

func needsRebuild(c change) error {
	var out agg.Problems
	for _, step := range c.Steps {
		if step.Effect == control.Rebuild {
			out = append(out, &agg.Problem{Code: "needs-rebuild", Object: c.Aggregate, Option: step.Option, Value: step.To,
				Rule: "is chosen when the aggregate is made, and traffic stops while it is made anew", Remedy: "`yoke apply --rebuild`"})
		}
	}
	return out.Err()
}
