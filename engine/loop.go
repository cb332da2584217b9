package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/policy"
	"github.com/yokelag/yoke/watch"
)

// loop is the life of an engine: wait for anything, then look at everything. A wake-up
// is taken from its channel before facts are read, so one that comes during a round
// leads to another round.
func (e *Engine) loop(ctx context.Context) {
	e.subscribe()
	defer func() { e.sub.cancel() }()
	defer e.stopHearing()
	e.remember()
	e.takeOver(ctx)
	e.followAway(ctx)
	whole := true
	for ctx.Err() == nil {
		if whole {
			e.round(ctx)
		}
		if e.verifyDue() {
			e.verify(ctx)
		}
		whole = e.serve(ctx, agg.Never, e.changes)
	}
}

// serve waits until something happens or is due, or for an instant, and does what needs no
// round. It reports whether one must follow. In the middle of a change it is given no
// others.
func (e *Engine) serve(ctx context.Context, until agg.Instant, changes <-chan func(context.Context)) bool {
	timer := time.NewTimer(e.pause(until))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-e.sub.wake:
		e.lookSoon()
	case <-e.earWake():
		return e.turn(ctx)
	case <-timer.C:
		if e.lacpOnly() {
			return e.turn(ctx)
		}
		return until == agg.Never || e.w.Clock.Now().Before(until)
	case e.alive <- struct{}{}:
		return false
	case f := <-e.calls:
		f(ctx)
	case f := <-changes:
		f(ctx)
	}
	return true
}

// pause is the time until something is due without a wake-up, or until an instant.
func (e *Engine) pause(until agg.Instant) time.Duration {
	at := agg.Earliest(e.deadline(), agg.Earliest(e.lacpAt(), e.beatDue()))
	if at = agg.Earliest(at, until); at == agg.Never {
		return e.verifyPeriod()
	}
	return max(0, at.Sub(e.w.Clock.Now()))
}

// deadline is when a round is due, but for LACP. What cannot be done yet does not count,
// or the loop would spin: nothing while facts cannot be read, no reading back while a plan
// waits to be applied, nor in the middle of a change, which what it finds may need.
func (e *Engine) deadline() agg.Instant {
	if e.readFails > 0 {
		return e.readAt
	}
	if e.lag.mustRound() {
		return e.w.Clock.Now()
	}
	at := e.plane.verifyAt
	switch {
	case e.plane.doubt || !e.plane.have:
		at = e.plane.retryAt
	case e.changing:
		at = agg.Never
	}
	at = agg.Earliest(agg.Earliest(at, e.announceAt()), agg.Earliest(e.drainAt, e.driven.lookAt))
	for _, w := range e.watches {
		if e.driver() != nil {
			break // which watches by itself
		}
		at = agg.Earliest(at, w.Deadline())
	}
	return at
}

// round reads the facts and makes the plane do what follows from them. This is the
// way of a failover, so what can wait comes after Apply.
func (e *Engine) round(ctx context.Context) {
	links, err := e.readLinks(ctx)
	if err != nil {
		e.readFailed(err)
		return
	}
	e.readFails, e.readAt = 0, agg.Never
	before := e.mark()
	e.decide(ctx, links)
	if e.mayApply() {
		_ = e.apply(ctx) // kept in e.plane and tried again
		e.begin()
	}
	e.giveWay()
	e.speak(ctx)
	e.announceMove(before)
	announced := e.announceDue(ctx)
	e.note(before)
	e.forgetNumbers()
	e.keepAlive(true)
	e.record(announced...)
	e.tables.Foresee()
}

// decide steps the watches and computes the plan.
func (e *Engine) decide(ctx context.Context, links []agg.LinkFacts) {
	if d := e.driver(); d != nil {
		e.decideDriven(ctx, d, links)
		return
	}
	now := e.w.Clock.Now()
	in := policy.Input{Moves: e.moves, Previous: e.policy, Tables: &e.tables, Ports: make([]policy.PortInput, len(links))}
	for i, l := range links {
		out := e.watches[i].Step(watch.Input{Now: now, Link: l, Promoted: l.Name == e.policy.Promoted})
		e.ports[l.Name].verdict = out.Verdict
		in.Ports[i] = policy.PortInput{Link: l, Watch: policyVerdict(out.Verdict)}
	}
	e.links = links
	e.chooseMAC()
	e.agree(ctx, now, links)
	for i, l := range links {
		in.Ports[i].LACP = e.agreed(l.Name)
	}
	in.Carrier = e.lacpCarrier()
	in.MAC = e.mac
	in.Now, in.Leaving = now, e.leaving
	e.want, e.policy, e.reasons = e.planned(ctx, in)
}

// policyVerdict translates between two packages that do not know each other.
func policyVerdict(v watch.Verdict) policy.Verdict {
	out := policy.Verdict{Since: v.Since, Remaining: v.Remaining, Reason: v.Reason, Detail: v.Detail}
	switch v.Phase {
	case watch.Rising:
		out.State = policy.Rising
	case watch.Up:
		out.State = policy.Up
	case watch.Falling:
		out.State = policy.Falling
	default:
		out.State = policy.Down
	}
	return out
}

// chooseMAC takes the address of the first port that there is, once, where the
// configuration names none.
func (e *Engine) chooseMAC() {
	if e.mac.IsZero() {
		e.mac = e.config.MAC
	}
	for _, l := range e.links {
		if e.mac.IsZero() && l.Present {
			e.mac = l.MAC
		}
	}
}

// adopt makes spec the one that is wanted. What is known of ports that stay is kept.
func (e *Engine) adopt(spec agg.Spec) {
	config := spec.Config()
	watches := make([]watch.Watch, len(config.Ports))
	ports := map[string]*portState{}
	for i, c := range config.Ports {
		watches[i] = watch.For(config, c)
		ports[c.Name] = &portState{gates: map[string]GateState{}}
		if old := slices.IndexFunc(e.config.Ports, func(p agg.PortConfig) bool { return p.Name == c.Name }); old >= 0 {
			watches[i].Restore(e.watches[old].State())
			ports[c.Name] = e.ports[c.Name].clone()
		}
	}
	e.spec, e.config, e.watches, e.ports = spec, config, watches, ports
}

func (e *Engine) names() []string {
	names := make([]string, len(e.config.Ports))
	for i, p := range e.config.Ports {
		names[i] = p.Name
	}
	return names
}

// subscription is the source of wake-ups.
type subscription struct {
	wake   <-chan struct{}
	cancel func()
}

// subscribe asks to be woken for the ports there are now, and for the device itself,
// so that a deletion by somebody else is seen soon. The old subscription ends after
// the new one has begun, and a round follows: nothing is missed between them.
func (e *Engine) subscribe() {
	old := e.sub
	e.sub.wake, e.sub.cancel = e.w.Links.Subscribe(Subscription{
		Names:      append(e.names(), e.name),
		Poll:       e.pollPeriod(),
		Adapt:      !e.config.MiimonSet,
		UseCarrier: e.config.UseCarrier,
	})
	if old.cancel != nil {
		old.cancel()
	}
}

func (e *Engine) pollPeriod() time.Duration {
	if !e.config.Watching {
		return 0
	}
	return e.config.Miimon
}

// readFailed keeps what was decided before and tries again soon.
func (e *Engine) readFailed(err error) {
	e.readFails++
	e.readAt = e.w.Clock.Now().Add(backoff(e.readFails))
	if e.readFails == 1 && !errors.Is(err, context.Canceled) { // the engine ends
		e.record(agg.Event{Kind: "port", Cause: "read-failed", Text: "cannot read the state of the ports: " + err.Error()})
	}
	if e.readFails >= beginTries {
		e.beginWith(err)
	}
}
