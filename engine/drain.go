package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/policy"
)

// planned computes the plan. While a planned move waits for a pause in the traffic the
// plane is asked when each entry was used last, and whether it has moved; a failover never
// waits for that, since nothing is held for a port that does not work. A port that comes up
// takes entries from ports that work, which is such a move too. Buckets that begin to move are
// published as such first, idle or not: the plane sees to it from then on that none of them
// wakes between the look and the next plan.
func (e *Engine) planned(ctx context.Context, in policy.Input) (agg.Plan, policy.State, []policy.Reason) {
	in.Former, e.former = e.former, nil
	plan, state, reasons := policy.Plan(e.config, in)
	if in.Former == nil && len(in.Leaving) == 0 {
		if in.Displaced = e.displaced(ctx, plan); in.Displaced != nil {
			plan, state, reasons = policy.Plan(e.config, in)
		}
	}
	e.drainAt = agg.Never
	if state.Drain == nil {
		return plan, state, reasons
	}
	e.drainAt = state.Drain.Until
	if !state.Drain.Holding() {
		return plan, state, reasons
	}
	begins := plan.Select == agg.SelectBuckets && state.Drain.Begins(in.Previous.Drain)
	if begins && !in.Previous.Drain.Holding() {
		e.drainAt = in.Now // once the plane knows what moves, most is idle and need not wait
		return plan, state, reasons
	}
	if facts, err := e.observe(ctx); err == nil {
		in.Entries = facts.Buckets
		plan, state, reasons = policy.Plan(e.config, in)
	}
	switch {
	case state.Drain.Holding() && begins:
		e.drainAt = in.Now
	case state.Drain.Holding():
		e.drainAt = in.Now.Add(drainLook)
	case state.Drain != nil:
		e.drainAt = state.Drain.Until
	}
	return plan, state, reasons
}

// makeWay has the traffic leave what a change of the spec is about to take away, and tells
// the partner. That may take long, so all is served meanwhile but other changes. It returns
// the numbers that ports have in LACP that will be gone.
func (e *Engine) makeWay(ctx context.Context, next agg.Spec) []uint16 {
	e.changing = true
	defer func() { e.changing, e.leaving = false, nil }()
	if e.drainOut(ctx, next); ctx.Err() != nil {
		return nil
	}
	return e.farewell(ctx, next)
}

// drainOut moves the traffic away from ports that a change of the spec is about to remove,
// and sees to it that buckets that the change moves wait for a pause. The aggregate is
// looked after meanwhile.
func (e *Engine) drainOut(ctx context.Context, next agg.Spec) {
	if e.driver() != nil {
		return // no traffic is moved before a port leaves it
	}
	if e.reshapes(next) {
		e.awaitPause(ctx)
	}
	defer func() { e.former = e.buckets(ctx, next.Config()) }()
	if e.config.DrainTimeout == 0 {
		return
	}
	for _, p := range e.plane.published.Ports {
		stays := slices.ContainsFunc(next.Ports, func(q agg.PortSpec) bool { return q.Name == p.Name })
		if !stays && p.Transmit && e.plane.have {
			e.leaving = append(e.leaving, p.Name)
		}
	}
	if len(e.leaving) == 0 {
		return
	}
	e.round(ctx)
	for e.policy.Drain != nil && ctx.Err() == nil {
		if e.serve(ctx, agg.Never, nil) && e.policy.Drain != nil {
			e.round(ctx)
		}
	}
}

// reshapes reports whether a change moves flows otherwise than bucket by bucket: frames are
// hashed otherwise, or the hash leads to the ports in another way.
func (e *Engine) reshapes(next agg.Spec) bool {
	was, is := e.config, next.Config()
	switch e.plane.published.Select {
	case agg.SelectBuckets:
		return was.HashPolicy != is.HashPolicy || was.HashMap != is.HashMap
	case agg.SelectModulo:
		same := slices.EqualFunc(was.Ports, is.Ports, func(a, b agg.PortConfig) bool { return a.Name == b.Name })
		return !same || was.HashPolicy != is.HashPolicy || was.HashMap != is.HashMap
	default:
		return false
	}
}

// awaitPause waits until no entry of the table was used for a while, at most as long as a
// planned move may wait.
func (e *Engine) awaitPause(ctx context.Context) {
	end := e.w.Clock.Now().Add(e.config.DrainTimeout)
	for ctx.Err() == nil && e.w.Clock.Now().Before(end) {
		var facts agg.Facts
		var err error
		e.meanwhile(ctx, func() { facts, err = e.observe(ctx) })
		now := e.w.Clock.Now()
		busy := func(b agg.BucketFacts) bool { return now.Sub(b.LastUsed) < agg.Pause }
		if err != nil || !slices.ContainsFunc(facts.Buckets, busy) {
			return
		}
		for look := now.Add(drainLook); ctx.Err() == nil && e.w.Clock.Now().Before(look); {
			if e.serve(ctx, look, nil) {
				e.round(ctx)
			}
		}
	}
}

// buckets tells by which ports the buckets leave, where the same hash will lead to them.
func (e *Engine) buckets(ctx context.Context, next agg.Config) map[int]string {
	p := e.plane.published
	if !e.plane.have || p.Select != agg.SelectBuckets || p.Hash != next.HashPolicy || next.HashMap != agg.Buckets {
		return nil
	}
	if p.Moving() {
		p = e.inUse(ctx)
	}
	out := map[int]string{}
	for i, c := range p.Table {
		out[i] = p.Ports[c.First].Name
	}
	return out
}

// displaced tells by which ports the entries leave that next leads elsewhere, nil where there
// are none, or where the plane could not tell when they pause.
func (e *Engine) displaced(ctx context.Context, next agg.Plan) map[int]string {
	p := e.plane.published
	if !e.plane.have || e.plane.doubt || !e.w.Plane.Capability().BucketCounters || p.Select != agg.SelectBuckets || next.Select != p.Select ||
		p.Hash != next.Hash || len(p.Table) != len(next.Table) {
		return nil
	}
	if diverts(p, next) {
		p = e.inUse(ctx)
	}
	var out map[int]string
	for i, c := range p.Table {
		to := next.Table[i].First
		if c.First < 0 || to < 0 {
			continue
		}
		if name := p.Ports[c.First].Name; next.Ports[to].Name != name {
			if out == nil {
				out = map[int]string{}
			}
			out[i] = name
		}
	}
	return out
}

// diverts reports whether next has entries that move leave by another port than the one that they
// move to, which still works. It matters then which of them have moved.
func diverts(p, next agg.Plan) bool {
	for i := range p.Table {
		_, by := p.Move(i)
		to, first := next.PortByName(by), next.Table[i].First
		if by != "" && !next.GoesOn(p, i) && first >= 0 && first != to && to >= 0 && next.Ports[to].Transmit {
			return true
		}
	}
	return false
}

// inUse is the plan in force as frames take it now; see [agg.Facts.InUse].
func (e *Engine) inUse(ctx context.Context) agg.Plan {
	facts, err := e.observe(ctx)
	if err != nil {
		facts = agg.Facts{}
	}
	facts.Published = &e.plane.published
	return facts.InUse()
}

// noteDrain records that a planned move begins to wait, and that it waits no more.
func (e *Engine) noteDrain(before mark) bool {
	was, is := before.drain, e.policy.Drain
	switch {
	case is != nil && is.Holding() && !was.Holding():
		e.record(agg.Event{Kind: "drain", Cause: "draining", Port: is.Open[0],
			Text: fmt.Sprintf("%s carries until the traffic pauses, %v at most", holders(is), e.config.DrainTimeout)})
	case was.Holding() && !is.Holding():
		e.record(agg.Event{Kind: "drain", Cause: "drained", Port: was.Open[0],
			Text: fmt.Sprintf("the traffic of %s has moved after %v", holders(was), e.w.Clock.Now().Sub(was.Since))})
	}
	return !was.Equal(is)
}

// holders tells who carries while a move waits.
func holders(d *policy.Drain) string {
	if len(d.Open) == 1 {
		return d.Open[0]
	}
	return "each of " + strings.Join(d.Open, ", ") + " with entries that move"
}
