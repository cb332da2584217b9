package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/internal/version"
)

// Run serves until ctx ends. Then it lets go, and what it made goes on forwarding where
// its plane can: only `yoke down` takes an aggregate apart. It must be called with every
// thread of the process in the network namespace that is to be served.
func Run(ctx context.Context, o Options) error {
	asked := loadWanted(o)
	if asked.problems != nil && o.File != "" {
		return asked.problems
	}
	// One faulty file must not keep a host's other links down.
	for _, p := range asked.problems {
		o.Log.Error("configuration left out", "problem", p.Error())
	}
	lock, err := lockState(o.StateDir, lockWithin)
	if err != nil {
		return err
	}
	defer lock.Close()
	w, err := newWorld(o)
	if err != nil {
		return err
	}
	return errors.Join(runWith(ctx, o, w, asked), w.Close())
}

func newWorld(o Options) (world, error) {
	if o.Dry != nil {
		return newDryWorld(o.Dry)
	}
	dropDead(o.Log)
	return newKernelWorld(o.StateDir, false, o.Log)
}

// run is Run in a given world, for specs that no file holds.
func run(ctx context.Context, o Options, w world, specs []agg.Spec) error {
	asked := wanted{specs: specs, from: map[string]string{}}
	for _, spec := range specs {
		asked.from[spec.Name] = configPath(o)
	}
	return runWith(ctx, o, w, asked)
}

// runWith is Run in a given world, with the configuration read.
func runWith(ctx context.Context, o Options, w world, asked wanted) (err error) {
	states, unread, err := readStates(o.StateDir, w.BootID())
	if err == nil && o.File != "" {
		err = unread.Err()
	}
	if err != nil {
		return err
	}
	// One faulty file must not keep a host's other links down.
	for _, p := range unread {
		o.Log.Error("state left out; what it tells of stands as it is", "problem", p.Error())
	}
	if err := checkNamespaces(o.StateDir, states, w.Namespace()); err != nil {
		return err
	}
	l, err := listen(o.Socket)
	if err != nil {
		return err
	}
	defer l.Close()
	r := newRegistry(w, o.StateDir, o.Log)
	defer func() { err = errors.Join(err, r.stop()) }()
	states = r.finishRenames(states)
	if err := r.begin(ctx, states, asked.specs, o.File != ""); err != nil {
		return err
	}
	r.endTakeOvers(ctx)
	about := aboutUs(o, w)
	s := &server{about: about, registry: r, unread: unread, files: newFiles(o, asked), log: o.Log, ending: ctx}
	s.confirmation = newConfirmation(r, s.files.undo, func() { s.follow(context.WithoutCancel(ctx)) })
	defer s.confirmation.stop()
	if err := s.confirmation.resume(); err != nil {
		o.Log.Error("what waits to be confirmed is not undone", "error", err)
	}
	defer s.followFiles(ctx)()
	defer r.followLinks(ctx)()
	defer r.followBroken(ctx, func(names []string) {
		for _, name := range names {
			r.endTakeOver(context.WithoutCancel(ctx), name)
		}
		s.follow(context.WithoutCancel(ctx)) // files may want it otherwise since
	})()
	o.Log.Info("serving", "socket", o.Socket, "state_dir", o.StateDir, "network_namespace", about.Namespace, "auto_plane", about.AutoPlane)
	notifyReady(o.Log, "serving "+o.Socket)
	go watchdog(ctx, r.alive)
	err = serve(ctx, l, withDry(w, s.routes()))
	notifyStopping()
	o.Log.Info("ending; forwarding goes on where the plane can")
	return err
}

// withDry adds what only a dry run has.
func withDry(w world, next http.Handler) http.Handler {
	dry, ok := w.(*dryWorld)
	if !ok {
		return next
	}
	mux := http.NewServeMux()
	mux.Handle("/", next)
	mux.HandleFunc(pathDryLink, dry.setLink)
	return mux
}

func aboutUs(o Options, w world) control.Daemon {
	name, why := w.AutoPlane(agg.Spec{})
	return control.Daemon{
		Version: control.Version, Release: version.String(), PID: os.Getpid(), Namespace: w.Namespace(), BootID: w.BootID(),
		Started: w.Clock().Now(), Socket: o.Socket, StateDir: o.StateDir, AutoPlane: name, AutoWhy: why, Config: configPath(o),
	}
}

// checkNamespaces refuses a state directory that belongs to another namespace.
func checkNamespaces(dir string, states []stateFile, own uint64) error {
	i := slices.IndexFunc(states, func(f stateFile) bool { return f.Namespace != own })
	if i < 0 {
		return nil
	}
	return &agg.Problem{Code: "other-namespace", Object: dir,
		Rule: fmt.Sprintf("holds %s of network namespace %d, and this process is in %d", states[i].Engine.Spec.Name, states[i].Namespace, own),
		Remedy: "give each its own: `yoked --state-dir DIR --socket DIR/yoke.sock`; where that namespace is gone, `rm " +
			filepath.Join(dir, states[i].Engine.Spec.Name+stateSuffix) + "`"}
}

// begin adopts what an earlier daemon left, then makes what is configured. One file
// given with -f must work; of several, each that does not is logged and left out, so
// that one fault does not take all links of a host down.
func (r *registry) begin(ctx context.Context, states []stateFile, specs []agg.Spec, strict bool) error {
	together := beginTogether
	if strict {
		together = 1
	}
	err := each(together, states, func(f stateFile) error {
		err := r.adopt(ctx, f)
		if err != nil {
			r.log.Error("not adopted; it stands as it is, and that is tried again", "aggregate", f.Engine.Spec.Name, "error", err)
		}
		return err
	})
	if err != nil && strict {
		return err
	}
	err = each(together, specs, func(spec agg.Spec) error {
		err := r.configure(ctx, spec)
		if err != nil && !strict { // else it is the daemon's own error
			r.log.Error("configuration not in force", "aggregate", spec.Name, "error", err)
		}
		return err
	})
	if strict {
		return err
	}
	return nil
}

// beginTogether is how many aggregates are begun at a time: most of it is waiting for the
// kernel.
const beginTogether = 8

// each calls f with every item, so many at a time, and returns the first error; one at a
// time ends with it.
func each[T any](together int, items []T, f func(T) error) error {
	var first error
	var once sync.Once
	var tasks sync.WaitGroup
	room := make(chan struct{}, together)
	for _, item := range items {
		room <- struct{}{}
		if together == 1 && first != nil {
			break
		}
		tasks.Go(func() {
			defer func() { <-room }()
			if err := f(item); err != nil {
				once.Do(func() { first = err })
			}
		})
	}
	tasks.Wait()
	return first
}

// configure makes what a file asks for. An adopted aggregate is changed only where its
// file was edited since: what commands changed survives the daemon.
func (r *registry) configure(ctx context.Context, spec agg.Spec) error {
	a, err := r.get(spec.Name)
	if err != nil {
		file := spec.Clone()
		return r.up(ctx, spec, origin{file: &file})
	}
	if a.store.unedited(spec) {
		return nil
	}
	if _, err := r.update(ctx, spec.Name, func(s *agg.Spec) error {
		*s = spec.Clone()
		return nil
	}); err != nil {
		return err
	}
	file := spec.Clone()
	return a.store.configured(&file)
}

// unedited reports whether the file said the same when it was last applied.
func (s *store) unedited(spec agg.Spec) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file.Configured != nil && reflect.DeepEqual(s.file.Configured.Args(), spec.Args())
}
