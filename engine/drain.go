package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/policy"
)

// planned computes the plan. While a planned move waits for a pause in the traffic the
// plane is asked when each entry was used last; a failover never waits for that, since
// nothing is held for a port that does not work.
func (e *Engine) planned(ctx context.Context, in policy.Input) (agg.Plan, policy.State, []policy.Reason) {
	plan, state, reasons := policy.Plan(e.config, in)
	e.drainAt = agg.Never
	if state.Drain == nil {
		return plan, state, reasons
	}
	e.drainAt = state.Drain.Until
	if !state.Drain.Holding() {
		return plan, state, reasons
	}
	if facts, err := e.observe(ctx); err == nil {
		in.LastUsed = make([]agg.Instant, len(facts.Buckets))
		for i, b := range facts.Buckets {
			in.LastUsed[i] = b.LastUsed
		}
		plan, state, reasons = policy.Plan(e.config, in)
	}
	switch {
	case state.Drain.Holding():
		e.drainAt = in.Now.Add(drainLook)
	case state.Drain != nil:
		e.drainAt = state.Drain.Until
	}
	return plan, state, reasons
}

// drainOut moves the traffic away from ports that a change of the spec is about to remove.
// The aggregate is looked after meanwhile.
func (e *Engine) drainOut(ctx context.Context, next agg.Spec) {
	for _, p := range e.plane.published.Ports {
		stays := slices.ContainsFunc(next.Ports, func(q agg.PortSpec) bool { return q.Name == p.Name })
		if !stays && p.Transmit && e.plane.have {
			e.leaving = append(e.leaving, p.Name)
		}
	}
	for len(e.leaving) > 0 && ctx.Err() == nil {
		e.round(ctx)
		if e.policy.Drain == nil {
			return
		}
		timer := time.NewTimer(max(0, e.drainAt.Sub(e.w.Clock.Now())))
		select {
		case <-ctx.Done():
		case <-e.sub.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// noteDrain records that a planned move begins to wait, and that it waits no more.
func (e *Engine) noteDrain(before mark) bool {
	was, is := before.drain, e.policy.Drain
	switch {
	case is != nil && is.Holding() && !was.Holding():
		e.record(agg.Event{Kind: "drain", Cause: "draining", Port: is.Open[0],
			Text: fmt.Sprintf("%s carries until its traffic pauses, %v at most", is.Open[0], policy.DrainCap)})
	case was.Holding() && !is.Holding():
		e.record(agg.Event{Kind: "drain", Cause: "drained", Port: was.Open[0],
			Text: fmt.Sprintf("the traffic of %s has moved after %v", was.Open[0], e.w.Clock.Now().Sub(was.Since))})
	}
	return !was.Equal(is)
}
