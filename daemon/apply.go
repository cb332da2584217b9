package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/internal/handover"
)

// specs returns what is wanted of every aggregate now.
func (r *registry) specs(ctx context.Context) (map[string]agg.Spec, error) {
	out := map[string]agg.Spec{}
	all, _ := r.list()
	for _, a := range all {
		spec, err := a.engine.Spec(ctx)
		if err != nil {
			return nil, err
		}
		out[a.name] = spec
	}
	return out, nil
}

// compare lists what has to be done for every aggregate that w asks for, in the order of
// the files, and how many are as they should be.
func compare(now map[string]agg.Spec, w wanted) (changes []change, same int) {
	for _, after := range w.specs {
		var before *agg.Spec
		if spec, ok := now[after.Name]; ok {
			before = &spec
		}
		if c, differs := difference(w.from[after.Name], before, &after); differs {
			changes = append(changes, c)
		} else {
			same++
		}
	}
	return changes, same
}

// ordered puts changes into the order in which they are safe: what goes makes room for
// what comes.
func ordered(changes []change) []change {
	rank := map[string]int{control.ActionRemove: 0, control.ActionRebuild: 1, control.ActionChange: 2, control.ActionCreate: 3}
	out := slices.Clone(changes)
	slices.SortStableFunc(out, func(a, b change) int { return rank[a.Action] - rank[b.Action] })
	return out
}

// checkAll refuses changes that cannot work before the first is made. Ports that another
// of the changes frees are free.
func (r *registry) checkAll(changes []change) error {
	r.change.Lock()
	defer r.change.Unlock()
	owners := r.owners()
	freed := map[string]bool{}
	for _, c := range changes {
		if c.before == nil {
			continue
		}
		for _, p := range c.before.Ports {
			if c.after == nil || c.after.Port(p.Name) == agg.NoPort {
				freed[p.Name] = true
			}
		}
	}
	var problems agg.Problems
	for _, c := range changes {
		if c.after == nil {
			continue
		}
		if err := r.checkOne(c, owners, freed); err != nil {
			problems = append(problems, control.ProblemsOf(err)...)
		}
	}
	return problems.Err()
}

func (r *registry) checkOne(c change, owners map[string]string, freed map[string]bool) error {
	if err := c.after.Validate(); err != nil {
		return err
	}
	if c.before == nil {
		if reserved(c.after.Name) {
			return reservedName(c.after.Name)
		}
		if err := r.world.CheckName(c.after.Name, c.after.Config().Plane); err != nil {
			return err
		}
	}
	if c.before == nil {
		if p := r.renamedSince(*c.after); p != nil {
			return p
		}
	}
	var problems agg.Problems
	for _, p := range c.after.Ports {
		owner, owned := owners[p.Name]
		switch {
		case owner == c.after.Name, owned && freed[p.Name]:
		case owned:
			problems = append(problems, portTaken(p.Name, owner, c.after.Name))
		default:
			if err := r.world.CheckPort(c.after.Name, p.Name); err != nil {
				problems = append(problems, control.ProblemsOf(err)...)
			}
		}
	}
	return problems.Err()
}

// make does all changes, or none: after a failure those made are taken back.
func (r *registry) make(ctx context.Context, changes []change) error {
	before := map[string]*agg.Spec{}
	for _, c := range changes {
		before[c.Aggregate] = c.before
	}
	held := map[string]rebuilt{}
	err := r.makeAll(ctx, ordered(changes), held)
	if err == nil {
		return nil
	}
	if back := r.restoreHeld(ctx, before, held); back != nil {
		return errors.Join(err, &notTakenBack{back})
	}
	return err
}

// notTakenBack is the error of changes that failed and that are still there, in part.
type notTakenBack struct{ err error }

// Error implements error.
func (e *notTakenBack) Error() string { return "take the changes back: " + e.err.Error() }

// makeAll does changes in order and stops at the first failure. What an aggregate keeps
// while it is made anew is in held, also where it could not be made.
func (r *registry) makeAll(ctx context.Context, changes []change, held map[string]rebuilt) error {
	if err := r.makeRoom(ctx, changes); err != nil {
		return err
	}
	for _, c := range changes {
		var err error
		switch c.Action {
		case control.ActionRemove:
			err = r.release(ctx, c.Aggregate)
		case control.ActionRebuild:
			// What it took over it will have again, and the ports must not.
			if _, known := held[c.Aggregate]; !known {
				held[c.Aggregate] = r.beforeRebuild(ctx, c.Aggregate)
			}
			err = r.down(ctx, c.Aggregate)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.Aggregate, err)
		}
	}
	for _, c := range changes {
		if c.Action == control.ActionChange {
			if err := r.alter(ctx, c); err != nil {
				return err
			}
		}
	}
	return r.createAll(ctx, changes, held)
}

// createAll makes what is not there, several at a time, and begins no more after a failure.
func (r *registry) createAll(ctx context.Context, changes []change, held map[string]rebuilt) error {
	changes = slices.DeleteFunc(slices.Clone(changes), func(c change) bool {
		return c.Action == control.ActionRemove || c.Action == control.ActionChange
	})
	var failed atomic.Bool
	return each(beginTogether, changes, func(c change) error {
		if failed.Load() {
			return nil
		}
		err := r.create(ctx, c, held[c.Aggregate])
		if err != nil {
			failed.Store(true)
		}
		return err
	})
}

// rebuilt is what an aggregate keeps while it is made anew: addresses and routes, its
// Ethernet address, by which neighbours know it, and what its file said.
type rebuilt struct {
	origin
	holding handover.Holding
}

func (r *registry) beforeRebuild(ctx context.Context, name string) rebuilt {
	a, err := r.get(name)
	if err != nil {
		return rebuilt{}
	}
	out := rebuilt{origin: origin{file: a.store.said()}}
	s, err := a.engine.Status(ctx)
	if err != nil {
		return out
	}
	out.holding = r.holding(s)
	if _, chosen := s.Spec.Options["mac"]; !chosen { // one that was asked for goes with the wish
		out.mac = s.Device.MAC
	}
	return out
}

// of is the origin of the aggregate that is made of spec: an address that is asked for
// is not overruled.
func (b rebuilt) of(spec agg.Spec) origin {
	if _, chosen := spec.Options["mac"]; chosen {
		b.mac = agg.MAC{}
	}
	return b.origin
}

// makeRoom takes ports away where another aggregate is to get them.
func (r *registry) makeRoom(ctx context.Context, changes []change) error {
	taker := map[string]bool{}
	for _, c := range changes {
		if c.after == nil {
			continue
		}
		for _, p := range c.after.Ports {
			if c.before == nil || c.before.Port(p.Name) == agg.NoPort {
				taker[p.Name] = true
			}
		}
	}
	for _, c := range changes {
		if c.Action != control.ActionChange {
			continue
		}
		leaves := func(p agg.PortSpec) bool { return taker[p.Name] && c.after.Port(p.Name) == agg.NoPort }
		if !slices.ContainsFunc(c.before.Ports, leaves) {
			continue
		}
		_, err := r.update(ctx, c.Aggregate, func(s *agg.Spec) error {
			s.Ports = slices.DeleteFunc(s.Ports, leaves)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *registry) alter(ctx context.Context, c change) error {
	_, err := r.update(ctx, c.Aggregate, func(s *agg.Spec) error {
		*s = c.after.Clone()
		return nil
	})
	return err
}

func (r *registry) create(ctx context.Context, c change, held rebuilt) error {
	err := r.up(ctx, *c.after, held.of(*c.after))
	if err != nil || held.holding.Empty() {
		return err
	}
	return held.holding.Give(c.Aggregate)
}

// restore brings aggregates back to what they were; a nil spec was not there.
func (r *registry) restore(ctx context.Context, before map[string]*agg.Spec) error {
	return r.restoreHeld(ctx, before, map[string]rebuilt{})
}

// restoreHeld is restore with what aggregates had that are perhaps not there now.
func (r *registry) restoreHeld(ctx context.Context, before map[string]*agg.Spec, held map[string]rebuilt) error {
	changes, err := r.changesBack(ctx, before)
	if err != nil {
		return err
	}
	return r.makeAll(ctx, ordered(changes), held)
}

// changesBack are those from what aggregates are to what they were.
func (r *registry) changesBack(ctx context.Context, before map[string]*agg.Spec) ([]change, error) {
	now, err := r.specs(ctx)
	if err != nil {
		return nil, err
	}
	var changes []change
	for name, spec := range before {
		var is *agg.Spec
		if s, ok := now[name]; ok {
			is = &s
		}
		if is == nil && spec == nil {
			continue
		}
		if c, differs := difference("", is, spec); differs {
			changes = append(changes, c)
		}
	}
	return changes, nil
}

// areAsBefore reports whether aggregates are what they were.
func (r *registry) areAsBefore(ctx context.Context, before map[string]*agg.Spec) bool {
	changes, err := r.changesBack(ctx, before)
	return err == nil && len(changes) == 0
}

// remember notes what files said of the aggregates that are as they say.
func (r *registry) remember(w wanted) error {
	var errs []error
	for _, spec := range w.specs {
		a, err := r.get(spec.Name)
		if err != nil || a.store.unedited(spec) {
			continue
		}
		file := spec.Clone()
		errs = append(errs, a.store.configured(&file))
	}
	return errors.Join(errs...)
}
