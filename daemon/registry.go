package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/engine"
)

// registry holds the aggregates of one daemon. Changes happen one at a time, but for the
// long part of making an aggregate, which waits for the kernel most of the time: its name
// and ports are claimed before. Readers never wait for changes.
type registry struct {
	world world
	dir   string
	log   *slog.Logger

	change sync.Mutex          // held by whoever changes an aggregate or the set of them
	claims map[string]agg.Spec // of aggregates being made; by change
	making sync.WaitGroup      // one for each of them
	// stopped: nothing is made any more; by change.
	stopped bool
	mu      sync.RWMutex
	all     map[string]*aggregate
	broken  map[string]*broken
	// lost tells that there is another broken one.
	lost chan struct{}
	// grown is closed, and replaced, when the set of aggregates changes.
	grown chan struct{}
}

// aggregate is one that runs.
type aggregate struct {
	name   string
	engine *engine.Engine
	plane  engine.Plane
	keep   *keeper
	store  *store
	cancel context.CancelFunc
	ended  chan struct{} // closed when Run has returned
	// moved tells of the move to this plane, empty where there was none.
	moved string
	// left is what fits its matches and could not be taken when they were looked at last.
	left atomic.Pointer[agg.Problems]
}

func newRegistry(w world, dir string, log *slog.Logger) *registry {
	return &registry{world: w, dir: dir, log: log, all: map[string]*aggregate{}, broken: map[string]*broken{}, lost: make(chan struct{}, 1), claims: map[string]agg.Spec{}, grown: make(chan struct{})}
}

// get returns a running aggregate, or a problem that names those there are.
func (r *registry) get(name string) (*aggregate, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if a, ok := r.all[name]; ok {
		return a, nil
	}
	if b, ok := r.broken[name]; ok {
		return nil, b.problem()
	}
	return nil, notFound(name, r.names())
}

// list returns the aggregates in order of names, and a channel that is closed when
// there are others.
func (r *registry) list() ([]*aggregate, <-chan struct{}) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []*aggregate
	for _, name := range slices.Sorted(maps.Keys(r.all)) {
		out = append(out, r.all[name])
	}
	return out, r.grown
}

// count is the number of aggregates.
func (r *registry) count() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.all)
}

// countWithClaims counts those being made as well. The caller holds change.
func (r *registry) countWithClaims() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	n := len(r.all)
	for claimed := range r.claims {
		if _, made := r.all[claimed]; !made { // else its maker has only not let go of the claim
			n++
		}
	}
	return n
}

func (r *registry) put(a *aggregate) {
	r.edit(func() {
		r.all[a.name] = a
		delete(r.broken, a.name)
	})
}

func (r *registry) drop(name string) {
	r.edit(func() {
		delete(r.all, name)
		delete(r.broken, name)
	})
}

func (r *registry) edit(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	close(r.grown)
	r.grown = make(chan struct{})
}

// origin is what a new aggregate has beside its spec.
type origin struct {
	// file is what the configuration file said that asked for it, nil where none did.
	file *agg.Spec
	// mac is the address it had before it was made anew, zero where it chooses one.
	mac agg.MAC
	// checked: the ports were checked for this change a moment ago, so that nothing is made
	// that cannot work. Whoever takes them checks again, before anything of theirs changes.
	checked bool
}

// up makes an aggregate that does not exist yet, or leaves nothing of it. A device that is
// there already, which the plane adopts, is left where that fails.
func (r *registry) up(ctx context.Context, spec agg.Spec, from origin) error {
	if from.file == nil { // a file says all that is wanted
		var err error
		if spec, err = r.asFound(spec); err != nil {
			return err
		}
	}
	spec, err := r.claim(ctx, spec, from.checked)
	if err != nil {
		return err
	}
	defer r.unclaim(spec)
	planeName, why := r.choosePlane(spec)
	r.log.Info("plane chosen", "aggregate", spec.Name, "plane", planeName, "why", why)
	stood := r.world.Stands(spec.Name)
	st := r.newStore(spec.Name)
	// The file is there before the first change, so that a crash in the middle leaves a
	// trace to adopt.
	first := engine.Saved{Version: engine.SavedVersion, Spec: spec, Plane: planeName, MAC: from.mac}
	if err := st.Save(first); err != nil {
		return err
	}
	if from.file != nil {
		if err := st.configured(from.file); err != nil {
			return err
		}
	}
	a, err := r.start(ctx, spec, planeName, st, &engine.Saved{MAC: from.mac})
	if err != nil {
		return errors.Join(err, st.remove())
	}
	if err := a.ready(ctx); err != nil {
		if stood { // somebody's own device, with what is on it
			return errors.Join(err, a.stop(), a.store.remove())
		}
		return errors.Join(err, r.takeApart(context.WithoutCancel(ctx), a))
	}
	r.put(a)
	return nil
}

// claim finds the ports of the aggregate, checks that it can be made, and keeps its name
// and ports for the caller until unclaim. Of ports that were checked it looks only whose
// they are.
func (r *registry) claim(ctx context.Context, asked agg.Spec, checked bool) (agg.Spec, error) {
	r.change.Lock()
	defer r.change.Unlock()
	if r.stopped {
		return asked, engine.ErrStopped
	}
	spec, err := r.resolved(asked)
	if err != nil {
		return asked, err
	}
	if err := r.checkNew(ctx, spec, checked); err != nil {
		return asked, err
	}
	if err := r.checkRoom(spec.Name); err != nil {
		return asked, err
	}
	r.claims[spec.Name] = spec
	r.making.Add(1)
	return spec, nil
}

func (r *registry) unclaim(spec agg.Spec) {
	r.change.Lock()
	defer r.change.Unlock()
	delete(r.claims, spec.Name)
	r.making.Done()
}

func (r *registry) newStore(name string) *store {
	return newStore(r.dir, name, r.world.BootID(), r.world.Namespace())
}

// choosePlane resolves plane=auto, once; the choice is saved.
func (r *registry) choosePlane(spec agg.Spec) (name, why string) {
	if asked := spec.Config().Plane; asked != "auto" {
		return asked, "asked for"
	}
	return r.world.AutoPlane(spec)
}

// start opens the plane and runs the engine, which goes on from saved.
func (r *registry) start(ctx context.Context, spec agg.Spec, planeName string, st *store, saved *engine.Saved) (*aggregate, error) {
	plane, err := r.world.OpenPlane(ctx, planeName, spec)
	if err != nil {
		return nil, err
	}
	deleted, renamed := make(chan struct{}, 1), make(chan string, 1)
	keep := r.world.KeepAlive(planeName, spec)
	e, err := engine.New(spec, engine.World{
		KeepAlive: keep.engine(), Plane: plane, Links: r.world.Links(), Frames: r.world.Frames(), Slow: r.world.Slow(), Stations: r.world.Stations(), Clock: r.world.Clock(),
		Store: st, Log: r.log, PID: os.Getpid(), Peers: r.count, Deleted: func() {
			select {
			case deleted <- struct{}{}:
			default:
			}
		}, Renamed: func(to string) {
			select {
			case renamed <- to:
			default:
			}
		},
	}, saved)
	if err != nil {
		return nil, errors.Join(err, plane.Close())
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	a := &aggregate{name: spec.Name, engine: e, plane: plane, keep: keep, store: st, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(a.ended)
		if err := e.Run(run); err != nil {
			r.log.Error("state not saved", "aggregate", spec.Name, "error", err)
		}
	}()
	go r.await(a, deleted, renamed)
	return a, nil
}

// ready waits for the first plan.
func (a *aggregate) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	return a.engine.Ready(ctx)
}

// stop ends the engine and leaves the plane forwarding where it can.
func (a *aggregate) stop() error {
	a.cancel()
	<-a.ended
	return errors.Join(a.plane.Close(), a.keep.close(), a.store.spoken.close())
}

// takeApart ends the engine and destroys the plane. The state file goes last, so that what
// could not be destroyed is known to the next daemon, which goes on with that. It is broken
// meanwhile.
func (r *registry) takeApart(ctx context.Context, a *aggregate) error {
	a.engine.Leave(ctx)
	a.cancel()
	<-a.ended
	if err := a.keep.removeAll(); err != nil {
		r.log.Warn("what speaks LACP for a dead daemon is left on a port", "aggregate", a.name, "error", err)
	}
	if err := a.plane.Destroy(ctx); err != nil {
		err = fmt.Errorf("take %s apart: %w", a.name, err)
		return errors.Join(err, a.plane.Close(), a.store.spoken.close(), r.leave(a.store.content(), err))
	}
	if err := a.store.remove(); err != nil {
		return errors.Join(err, r.leave(a.store.content(), err))
	}
	return nil
}

// down takes an aggregate apart and gives its ports back.
func (r *registry) down(ctx context.Context, name string) error {
	r.change.Lock()
	defer r.change.Unlock()
	ctx = context.WithoutCancel(ctx)
	var a *aggregate
	var err error
	if b := r.brokenOne(name); b != nil {
		if a, err = r.begun(ctx, b.file); err != nil {
			err = fmt.Errorf("take %s apart: %w", name, err)
			return errors.Join(err, r.leave(b.file, err))
		}
	} else if a, err = r.get(name); err != nil {
		return err
	}
	r.drop(name)
	if err := r.takeApart(ctx, a); err != nil {
		r.log.Error("down failed", "aggregate", name, "error", err)
		return err
	}
	r.log.Info("down", "aggregate", name)
	return nil
}

// begun runs an aggregate from its state, with all that has its name now.
func (r *registry) begun(ctx context.Context, f stateFile) (*aggregate, error) {
	if f.RenamedFrom != "" {
		var err error
		if f, err = r.finishRename(f); err != nil {
			return nil, fmt.Errorf("follow its device, which was %s: %w", f.RenamedFrom, err)
		}
	}
	saved := f.Engine
	st := r.newStore(saved.Spec.Name)
	st.file = f
	return r.start(ctx, saved.Spec, saved.Plane, st, &saved)
}

// adopt resumes an aggregate that an earlier daemon left, or goes on to take it apart. The
// caller holds change, but for the daemon's beginning, when nobody changes anything yet.
// What cannot be adopted is broken.
func (r *registry) adopt(ctx context.Context, f stateFile) error {
	saved := f.Engine
	a, err := r.begun(ctx, f)
	if err != nil {
		err = fmt.Errorf("adopt %s: %w", saved.Spec.Name, err)
		r.lose(f, err)
		return err
	}
	if f.Leaving {
		return r.takeApart(ctx, a)
	}
	if err := a.ready(ctx); err != nil {
		// The engine goes on trying; to give up would leave nobody to look after it.
		r.log.Error("adopted, and its plan is not in force yet", "aggregate", a.name, "error", err)
	}
	r.put(a)
	r.log.Info("adopted", "aggregate", a.name, "plane", saved.Plane, "generation", saved.Generation)
	return nil
}

// update changes an aggregate's spec by f, all or nothing. again are options that were set
// to what they may be already; see [engine.Engine.Update].
func (r *registry) update(ctx context.Context, name string, f func(*agg.Spec) error, again ...string) (*aggregate, error) {
	r.change.Lock()
	defer r.change.Unlock()
	a, err := r.get(name)
	if err != nil {
		return nil, err
	}
	before, err := a.engine.Spec(ctx)
	if err != nil {
		return nil, err
	}
	after := before.Clone()
	if err := f(&after); err != nil {
		return nil, err
	}
	after, left, err := r.fitting(after)
	if err != nil {
		return nil, err
	}
	a.left.Store(&left)
	if err := r.checkChange(before, after); err != nil {
		return nil, err
	}
	if to, ok := r.wantsMove(a, after); ok {
		b, err := r.move(ctx, a, after, to, again)
		if err != nil {
			r.checkAlive(a.name, err)
		}
		return b, err
	}
	// A client that goes away does not leave a change half made.
	if err := a.engine.Update(context.WithoutCancel(ctx), after, again...); err != nil {
		return nil, err
	}
	if err := a.store.release(before, after); err != nil {
		r.log.Warn("which ports were given back is forgotten when yoked ends", "aggregate", a.name, "error", err)
	}
	r.warnOfAddress(ctx, a, after.Name)
	return a, nil
}

// checkAlive is for after a failed move: where nothing could be begun again, not the old
// plane either, the aggregate is broken because of why.
func (r *registry) checkAlive(name string, why error) {
	a, err := r.get(name)
	if err != nil {
		return
	}
	select {
	case <-a.ended:
		r.lose(a.store.content(), why)
	default:
	}
}

// stop ends every engine; forwarding goes on.
func (r *registry) stop() error {
	r.change.Lock()
	r.stopped = true
	r.change.Unlock()
	r.making.Wait()
	r.change.Lock()
	defer r.change.Unlock()
	all, _ := r.list()
	var errs []error
	for _, a := range all {
		errs = append(errs, a.stop())
	}
	return errors.Join(errs...)
}

// alive waits until every engine was free once. To ask for a status would do as well, and
// has each plane looked at: with many aggregates that is most of what an idle daemon does.
func (r *registry) alive(ctx context.Context) error {
	all, _ := r.list()
	for _, a := range all {
		if err := a.engine.Alive(ctx); err != nil && !errors.Is(err, engine.ErrStopped) { // taken apart meanwhile
			return err
		}
	}
	return nil
}

// statuses returns the status of the named aggregate, or of all.
func (r *registry) statuses(ctx context.Context, name string) (control.StatusList, error) {
	out := control.StatusList{Version: control.Version, Aggregates: []agg.Status{}}
	all, _ := r.list()
	lost := r.brokenOnes()
	if b := r.brokenOne(name); b != nil {
		all, lost = nil, []*broken{b}
	} else if name != "" {
		a, err := r.get(name)
		if err != nil {
			return out, err
		}
		all, lost = []*aggregate{a}, nil
	}
	for _, b := range lost {
		out.Aggregates = append(out.Aggregates, r.brokenStatus(ctx, b))
	}
	for _, a := range all {
		s, err := a.engine.Status(ctx)
		if errors.Is(err, engine.ErrStopped) && name == "" {
			continue // taken apart meanwhile
		}
		if err != nil {
			return out, err
		}
		out.Aggregates = append(out.Aggregates, s)
	}
	slices.SortFunc(out.Aggregates, func(a, b agg.Status) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
