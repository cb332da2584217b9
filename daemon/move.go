package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/yokelag/yoke/agg"
)

// vacater is a plane that another one can follow on a running aggregate.
type vacater interface {
	// Vacate takes away what the plane has of its own, but for the ports, which stay taken,
	// and for the device where it is to stay. The plane is closed.
	Vacate(keepDevice bool) error
}

// mover is a world whose aggregates can be moved from one plane to another.
type mover interface {
	// CheckMove refuses a plane that cannot be had for an aggregate, and changes nothing.
	CheckMove(to string, spec agg.Spec) error
	// Legacy notes what the device of an aggregate has, for one of another kind to have it.
	// It is nil where both planes have the same device. What would be lost is a problem.
	Legacy(name, from, to string) (legacy, error)
	// Follow has planes of an aggregate that are opened, until end, go on with its ports.
	Follow(name string) (end func())
}

// legacy is what one device leaves to the next of the same name and number.
type legacy interface {
	// Make makes the device that a plane needs for a spec; Give gives it what there was before.
	Make(plane string, spec agg.Spec) error
	Give() error
	// Remove removes the device, for another to be made.
	Remove() error
}

// wantsMove returns the plane that a changed spec asks for, where it is another than the
// one that the aggregate has. plane=auto is content with any: it was decided.
func (r *registry) wantsMove(a *aggregate, after agg.Spec) (to string, ok bool) {
	if _, can := r.world.(mover); !can {
		return "", false // in a dry run one plane stands for all
	}
	to = after.Config().Plane
	return to, to != "auto" && to != a.planeName()
}

// neverMoved reports whether an option is the plane and one of its values is a plane that no
// running aggregate is moved to or from.
func neverMoved(o *agg.Option, values ...string) bool {
	return o.Name == "plane" && slices.Contains(values, "mem")
}

// planeName is the plane that an aggregate has.
func (a *aggregate) planeName() string { return a.plane.Capability().Plane }

// move gives a running aggregate another plane, all or nothing: after a failure the old
// one stands again. The caller holds change and has checked the spec, which replaces the
// earlier one when the plane is in force; of again, options that were set, see update.
func (r *registry) move(ctx context.Context, a *aggregate, after agg.Spec, to string, again []string) (*aggregate, error) {
	ctx = context.WithoutCancel(ctx) // a client that goes away leaves nothing half moved
	from := a.planeName()
	left, err := r.mayMove(a, after, to)
	if err != nil {
		return nil, err
	}
	defer r.world.(mover).Follow(a.name)()
	r.log.Info("moving", "aggregate", a.name, "from", from, "to", to)
	before := a.engine.Wanted()
	first, err := r.firstOn(to, before, after)
	if err != nil {
		return nil, err
	}
	carried := a.carries(ctx)
	back := func(f stateFile, err error) error {
		_, again := r.standUp(ctx, f, before, from, left)
		return errors.Join(fmt.Errorf("move %s to plane %s: %w", a.name, to, err), stoodUp(again))
	}
	f, since, err := r.standDown(a, left == nil)
	if err != nil {
		return nil, back(f, err)
	}
	b, err := r.standUp(ctx, f, first, to, left)
	if err != nil {
		return nil, back(f, err)
	}
	b.left.Store(a.left.Load())
	carries := !carried || b.comesToCarry(ctx)
	gap := r.world.Clock().Now().Sub(since).Round(100 * time.Microsecond)
	if err := b.engine.Update(ctx, after, again...); err != nil {
		f, _, down := r.standDown(b, left == nil)
		return nil, back(f, errors.Join(err, down))
	}
	b.moved = fmt.Sprintf("%s was moved from plane %s to %s; no frame could pass for %v at most", a.name, from, to, gap)
	if !carries {
		b.moved = fmt.Sprintf("%s was moved from plane %s to %s; no frame could pass for a while, and no port is seen to carry after %v", a.name, from, to, gap)
	}
	b.engine.Record(ctx, agg.Event{Kind: "plane", Cause: "moved", From: from, To: to, Text: b.moved})
	return b, nil
}

// firstOn is the spec that a plane begins with: the earlier one, for the rest of the change
// to be made as on any aggregate that runs, but for options that change only while the
// device is down, which it never is again; or the new one where the plane cannot do the
// earlier one.
func (r *registry) firstOn(to string, before, after agg.Spec) (agg.Spec, error) {
	first := before.Clone()
	if err := first.Options.Set(agg.OfAggregate, "plane", to); err != nil {
		return first, err
	}
	for _, o := range agg.Options() {
		if text, said := after.Options[o.Name]; o.When == agg.DeviceDown && said {
			first.Options[o.Name] = text
		} else if o.When == agg.DeviceDown {
			delete(first.Options, o.Name)
		}
	}
	if first.Validate() != nil || r.world.(mover).CheckMove(to, first) != nil {
		return after.Clone(), nil
	}
	return first, nil
}

// carries reports whether frames pass by any port.
func (a *aggregate) carries(ctx context.Context) bool {
	s, err := a.engine.Status(ctx)
	return err == nil && s.Carrying > 0
}

// comesToCarry waits for that: the kernel's driver sees its ports, and a partner of LACP
// agrees, some time after the plan is in force.
func (a *aggregate) comesToCarry(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, carriesWithin)
	defer cancel()
	for !a.carries(ctx) {
		select {
		case <-time.After(carryLook):
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// stoodUp is the error of a way back.
func stoodUp(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("take the move back: %w", err)
}

// mayMove refuses a move that cannot work, before anything changes, and notes what the
// device leaves to the next.
func (r *registry) mayMove(a *aggregate, after agg.Spec, to string) (legacy, error) {
	world, ok := r.world.(mover)
	if _, leaves := a.plane.(vacater); !ok || !leaves {
		return nil, &agg.Problem{Code: "cannot-move", Object: a.name, Option: "plane", Value: to,
			Rule: "plane " + a.planeName() + " cannot be left while the aggregate runs", Remedy: remake(after)}
	}
	if err := world.CheckMove(to, after); err != nil {
		return nil, err
	}
	return world.Legacy(a.name, a.planeName(), to)
}

// standDown ends the engine and makes room for another plane. The state is that to go on
// from, since is when frames stopped to pass.
func (r *registry) standDown(a *aggregate, keepDevice bool) (f stateFile, since agg.Instant, err error) {
	a.cancel()
	<-a.ended
	if err := a.keep.removeAll(); err != nil {
		r.log.Warn("what speaks LACP for a dead daemon is left on a port", "aggregate", a.name, "error", err)
	}
	since = r.world.Clock().Now()
	err = errors.Join(a.plane.(vacater).Vacate(keepDevice), a.store.spoken.close())
	return a.store.content(), since, err
}

// standUp goes on from a state by a plane, on the device that is there or on one that it
// makes. After an error nothing of the plane is left, and no device where it has its own.
func (r *registry) standUp(ctx context.Context, f stateFile, spec agg.Spec, plane string, left legacy) (*aggregate, error) {
	saved := f.Engine
	saved.Spec, saved.Plane = spec.Clone(), plane
	f.Engine = saved
	st := r.newStore(spec.Name)
	if err := st.replace(f); err != nil {
		return nil, err
	}
	if left != nil {
		if err := errors.Join(left.Make(plane, spec), left.Give()); err != nil {
			return nil, errors.Join(err, left.Remove())
		}
	}
	a, err := r.start(ctx, saved.Spec, plane, st, &saved)
	if err != nil {
		return nil, errors.Join(err, removed(left))
	}
	if err := a.ready(ctx); err != nil {
		_, _, down := r.standDown(a, left == nil)
		return nil, errors.Join(err, down)
	}
	r.put(a)
	return a, nil
}

// removed removes a device that was made for a plane that is not.
func removed(left legacy) error {
	if left == nil {
		return nil
	}
	return left.Remove()
}

// movesOf are the findings that tell of the moves that changes led to, by who ran before.
func (r *registry) movesOf(before []*aggregate, changes []change) (out []agg.Finding) {
	for _, was := range before {
		asked := slices.ContainsFunc(changes, func(c change) bool { return c.Aggregate == was.name })
		if is, err := r.get(was.name); asked && err == nil {
			out = append(out, endMove(was, is)...)
		}
	}
	return out
}

// endMove is the finding that tells of a move that just was made, none where a is as it was.
func endMove(was, is *aggregate) []agg.Finding {
	if was == is || is.moved == "" {
		return nil
	}
	return []agg.Finding{{Code: "moved", Severity: "info", Text: is.moved}}
}
