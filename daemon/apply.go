package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync/atomic"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/internal/handover"
	"github.com/yokelag/yoke/internal/iface"
)

// specs returns what is wanted of every aggregate now.
func (r *registry) specs(ctx context.Context) (map[string]agg.Spec, error) {
	out := map[string]agg.Spec{}
	for _, b := range r.brokenOnes() {
		out[b.name()] = b.file.Engine.Spec
	}
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

// checkAll refuses changes that cannot work before the first is made, and notes of the others
// whose ports it has checked. Ports that another of the changes frees are free.
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
	for i := range changes {
		if changes[i].after == nil {
			continue
		}
		if err := r.checkOne(&changes[i], owners, freed); err != nil {
			problems = append(problems, control.ProblemsOf(err)...)
		}
	}
	return problems.Err()
}

func (r *registry) checkOne(c *change, owners map[string]string, freed map[string]bool) error {
	if err := c.after.Validate(); err != nil {
		return err
	}
	if b := r.brokenOne(c.after.Name); b != nil {
		return b.problem()
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
	c.checked = true
	for _, p := range c.after.Ports {
		owner, owned := owners[p.Name]
		switch {
		case owner == c.after.Name, owned && freed[p.Name]:
			c.checked = false // it is a port still
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
	was := r.pastOf(ctx, changes)
	err := r.makeAll(ctx, ordered(changes), maps.Clone(was.Held))
	if err == nil {
		return nil
	}
	if back := r.restore(ctx, was); back != nil {
		return errors.Join(err, &notTakenBack{back})
	}
	return err
}

// notTakenBack is the error of changes that failed and that are still there, in part.
type notTakenBack struct{ err error }

// Error implements error.
func (e *notTakenBack) Error() string { return "take the changes back: " + e.err.Error() }

// makeAll does changes in order and stops at the first failure. What aggregates have again
// that are made is in held, by name.
func (r *registry) makeAll(ctx context.Context, changes []change, held map[string]belongings) error {
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
func (r *registry) createAll(ctx context.Context, changes []change, held map[string]belongings) error {
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

// belongings is what an aggregate has again that is made anew, or that was removed and comes
// back: addresses and routes, its Ethernet address, by which neighbours know it, and what
// its file said. It can be kept as JSON.
type belongings struct {
	File *agg.Spec `json:"file,omitempty"`
	// MAC is zero where the spec says it.
	MAC      agg.MAC            `json:"mac,omitzero"`
	Holdings []handover.Holding `json:"holdings,omitempty"`
	// TookOver: it had addresses and routes of its ports, which get them back when it goes.
	TookOver bool `json:"took_over,omitempty"`
}

// keep is what the aggregate has now.
func (r *registry) keep(ctx context.Context, name string) belongings {
	a, err := r.get(name)
	if err != nil {
		return belongings{}
	}
	out := belongings{File: a.store.said()}
	_, out.TookOver, _ = r.loadTakeOver(name) // one that cannot be read is not given back either
	s, err := a.engine.Status(ctx)
	if err != nil {
		return out
	}
	if h := r.holding(s); !h.Empty() {
		out.Holdings = append(out.Holdings, h)
	}
	if _, chosen := s.Spec.Options["mac"]; !chosen { // one that was asked for goes with the wish
		out.MAC = s.Device.MAC
	}
	return out
}

// again is what an aggregate has that is to be what it was: an address of before, and what
// it took over then.
func (b belongings) again(was belongings) belongings {
	if !was.MAC.IsZero() {
		b.MAC = was.MAC
	}
	b.TookOver = b.TookOver || was.TookOver
	return b
}

// past is what aggregates were before a change.
type past struct {
	// Before is what was wanted of them, nil where there was none.
	Before map[string]*agg.Spec `json:"before"`
	// Held is what those had that are made anew, or removed.
	Held map[string]belongings `json:"held,omitempty"`
}

// pastOf is what the aggregates are that are about to be changed.
func (r *registry) pastOf(ctx context.Context, changes []change) past {
	p := past{Before: map[string]*agg.Spec{}, Held: map[string]belongings{}}
	for _, c := range changes {
		p.Before[c.Aggregate] = c.before
		if c.Action == control.ActionRemove || c.Action == control.ActionRebuild {
			p.Held[c.Aggregate] = r.keep(ctx, c.Aggregate)
		}
	}
	return p
}

// of is the origin of the aggregate that a change makes: an address that is asked for is not
// overruled.
func (b belongings) of(c change) origin {
	if _, chosen := c.after.Options["mac"]; chosen {
		b.MAC = agg.MAC{}
	}
	return origin{file: b.File, mac: b.MAC, checked: c.checked}
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

func (r *registry) create(ctx context.Context, c change, held belongings) error {
	up := r.up
	// Where the ports have back what it took over, it takes it over again.
	if _, has, _ := r.loadTakeOver(c.Aggregate); held.TookOver && !has {
		up = r.upTakingOver
	}
	if err := up(ctx, *c.after, held.of(c)); err != nil {
		return err
	}
	return held.give(c.Aggregate)
}

// give gives the aggregate's device, which was made anew, its addresses and routes. It may
// be repeated.
func (b belongings) give(name string) error {
	for _, h := range b.Holdings {
		if l, err := iface.ByName(name, iface.Here); err == nil && l.Index == h.Index {
			continue // the very one that has them
		}
		if err := h.Give(name); err != nil {
			return err
		}
	}
	return nil
}

// restore brings aggregates back to what they were.
func (r *registry) restore(ctx context.Context, was past) error {
	changes, err := r.changesBack(ctx, was.Before)
	if err != nil {
		return err
	}
	held := map[string]belongings{}
	for name, b := range was.Held {
		b.Holdings = nil // they are given at the end
		held[name] = b
	}
	for name, now := range r.pastOf(ctx, changes).Held {
		held[name] = now.again(was.Held[name])
	}
	if err := r.makeAll(ctx, ordered(changes), held); err != nil {
		return err
	}
	return r.settle(was)
}

// settle gives everybody what they had: aggregates that are there again, also where an
// earlier try made them, and the ports of those that are not.
func (r *registry) settle(was past) error {
	var errs []error
	for name, b := range was.Held {
		if was.Before[name] != nil {
			errs = append(errs, b.give(name))
		}
	}
	for name, spec := range was.Before {
		if spec == nil {
			errs = append(errs, r.giveBack(name))
		}
	}
	return errors.Join(errs...)
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

// areAsBefore reports whether aggregates are what they were, and ports of those that were
// not there have what they had.
func (r *registry) areAsBefore(ctx context.Context, before map[string]*agg.Spec) bool {
	for name, spec := range before {
		if _, err := os.Stat(r.takeOverPath(name)); spec == nil && err == nil {
			return false
		}
	}
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
