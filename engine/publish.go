package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/yokelag/yoke/agg"
)

// planeState is what the engine knows of its plane.
type planeState struct {
	// published is the newest plan that Apply accepted or that was found in the plane,
	// where have is set.
	published   agg.Plan
	have        bool
	publishedAt agg.Instant
	generation  uint64
	// tried is the newest plan given to Apply; a repetition keeps its generation.
	tried agg.Plan
	// doubt: published may not be what the plane does; Apply it once more.
	doubt bool
	// failures counts refused calls and failed verifications in a row, lastErr is the
	// newest of them, and retryAt when the next attempt is due.
	failures int
	lastErr  error
	retryAt  agg.Instant
	// verifyAt is when the plan is read back next; verified that it was, and equal.
	verifyAt   agg.Instant
	observedAt agg.Instant
	// wholeAt is when the plane was last observed whole, and not only verified.
	wholeAt  agg.Instant
	verified bool
	repairs  uint64
	// device is the aggregate's own device as it was looked at last, to tell what somebody
	// else has done to it.
	device agg.DeviceFacts
	// called is the name of the device that Renamed was told.
	called string
}

// mayApply reports whether Apply is to be called now: for a plan that was not tried
// before at once, for one that was refused when its pause is over.
func (e *Engine) mayApply() bool {
	p := &e.plane
	switch {
	case !p.have || !e.want.Equal(p.published) || e.untold():
		return p.failures == 0 || !e.want.Equal(p.tried) || e.retryDue()
	case p.doubt:
		return p.failures == 0 || e.retryDue()
	default:
		p.retryAt = agg.Never
		return false
	}
}

func (e *Engine) retryDue() bool { return !e.w.Clock.Now().Before(e.plane.retryAt) }

// apply makes the plane do e.want.
func (e *Engine) apply(ctx context.Context) error {
	p := &e.plane
	plan := e.want
	plan.Generation = e.generationFor(plan)
	p.tried = plan
	err := e.configure()
	if err == nil {
		err = e.w.Plane.Apply(ctx, plan)
	}
	if err != nil {
		e.applyFailed(fmt.Errorf("apply plan %d of %s: %w", plan.Generation, e.name, err))
		return err
	}
	now := e.w.Clock.Now()
	if !p.have || p.published.Generation != plan.Generation {
		p.publishedAt = now
	}
	p.published, p.have, p.doubt = plan, true, false
	e.driven.told = e.spec.Clone()
	p.expectDevice(plan)
	p.retryAt, p.verifyAt, p.verified = agg.Never, now.Add(verifyAfter), false
	return nil
}

// generationFor returns a new generation for a new plan. A plan that is applied again
// keeps the one it has.
func (e *Engine) generationFor(plan agg.Plan) uint64 {
	p := &e.plane
	switch {
	case p.have && plan.Equal(p.published):
		return p.published.Generation
	case p.tried.Generation > p.published.Generation && plan.Equal(p.tried):
		return p.tried.Generation
	default:
		p.generation++
		return p.generation
	}
}

func (e *Engine) applyFailed(err error) {
	p := &e.plane
	p.doubt, p.verified = true, false
	p.failures++
	p.retryAt = e.w.Clock.Now().Add(backoff(p.failures))
	if p.lastErr == nil || p.lastErr.Error() != err.Error() {
		e.record(agg.Event{Kind: "plane", Cause: "apply-failed", Text: err.Error()})
	}
	p.lastErr = err
}

// refused reports whether err is a refusal that repeating the call does not change.
func refused(err error) bool {
	var one *agg.Problem
	var many agg.Problems
	return errors.As(err, &one) || errors.As(err, &many)
}

// begin tells Ready how the first attempts to apply a plan went.
func (e *Engine) begin() {
	p := &e.plane
	if !p.doubt {
		e.beginWith(nil)
	} else if refused(p.lastErr) || p.failures >= beginTries {
		e.beginWith(p.lastErr)
	}
}

func (e *Engine) beginWith(err error) {
	select {
	case <-e.ready:
	default:
		e.begun = err
		close(e.ready)
	}
}

// takeOver learns what the plane does already, so that a first plan that equals it
// changes nothing.
func (e *Engine) takeOver(ctx context.Context) {
	p := &e.plane
	facts, err := e.found(ctx)
	p.device = facts.Device // zero after an error
	if err != nil || facts.Published == nil {
		p.verifyAt = agg.Never
		return
	}
	found := *facts.Published
	p.published, p.have, p.doubt, p.verifyAt = found, true, true, agg.Never
	e.away = p.device
	if found.Moving() { // nobody looked since what a dead daemon began to move has moved
		e.former = e.buckets(ctx, e.config)
	}
	if p.generation < found.Generation {
		p.generation, p.publishedAt = found.Generation, facts.PublishedAt
	}
	if e.mac.IsZero() {
		e.mac = found.MAC
	}
	if e.policy.Active == "" && found.Mode == agg.ActiveBackup {
		e.policy.Active = activeOf(found)
	}
}

// found reads what the plane does already. The least that it can tell is enough: the first
// plan that is applied is followed by a whole observation.
func (e *Engine) found(ctx context.Context) (agg.Facts, error) {
	v, ok := e.w.Plane.(Verifier)
	if !ok {
		return e.observe(ctx)
	}
	f, err := v.Verify(ctx)
	if err != nil {
		return agg.Facts{}, fmt.Errorf("verify %s: %w", e.name, err)
	}
	e.plane.observedAt = e.w.Clock.Now()
	return f, nil
}

// activeOf names the port that a plan with one entry uses, or none.
func activeOf(p agg.Plan) string {
	if p.Select != agg.SelectFixed || len(p.Table) == 0 || p.Table[0].First < 0 {
		return ""
	}
	return p.Ports[p.Table[0].First].Name
}

// observe reads what the plane reports and keeps what later steps need of it.
func (e *Engine) observe(ctx context.Context) (agg.Facts, error) {
	facts, err := e.w.Plane.Observe(ctx)
	if err != nil {
		return agg.Facts{}, fmt.Errorf("observe %s: %w", e.name, err)
	}
	e.plane.observedAt = e.w.Clock.Now()
	e.plane.wholeAt = e.plane.observedAt
	return facts, nil
}

// verifyDue reports whether the plan should be read back now. A wake-up that waits is
// served before.
func (e *Engine) verifyDue() bool {
	p := &e.plane
	return p.have && !p.doubt && !e.changing && len(e.sub.wake) == 0 &&
		p.verifyAt != agg.Never && !e.w.Clock.Now().Before(p.verifyAt)
}

// verify compares what the plane reports with what was asked of it. A difference is
// repaired by the next round.
func (e *Engine) verify(ctx context.Context) {
	p := &e.plane
	var facts agg.Facts
	var whole bool
	var err error
	e.meanwhile(ctx, func() { facts, whole, err = e.look(ctx) })
	p.verifyAt = e.w.Clock.Now().Add(e.verifyPeriod())
	if err != nil {
		p.failures++
		p.verifyAt = e.w.Clock.Now().Add(backoff(p.failures))
		e.verifyFailed(err)
		return
	}
	if whole {
		e.mendKept()
		e.watchCounters(facts)
	}
	if e.watchDevice(ctx, facts) {
		return
	}
	if why := e.difference(facts); why != "" {
		e.repair(facts, why)
		return
	}
	if !p.verified {
		e.confirmed()
	}
}

// lookSoon has the plane read back soon after a wake-up. The wake-up may be about what
// rounds do not read: an address of the device, say, that a failover must announce.
func (e *Engine) lookSoon() {
	p := &e.plane
	soon := max(e.w.Clock.Now().Add(verifyAfter), p.observedAt.Add(lookPause))
	if p.verifyAt != agg.Never && soon.Before(p.verifyAt) {
		p.verifyAt = soon
	}
}

func (e *Engine) verifyFailed(err error) {
	if e.plane.lastErr == nil || e.plane.lastErr.Error() != err.Error() {
		e.record(agg.Event{Kind: "plane", Cause: "observe-failed", Text: err.Error()})
	}
	e.plane.lastErr, e.plane.verified = err, false
}

// confirmed notes that the plan is in force after a time in which that was unknown.
func (e *Engine) confirmed() {
	p := &e.plane
	p.verified = true
	if p.lastErr != nil {
		e.record(agg.Event{Kind: "plane", Cause: "in-force",
			Text: fmt.Sprintf("plan %d is in force after %d failed attempts", p.published.Generation, p.failures)})
	}
	p.lastErr, p.failures = nil, 0
	e.noteGates()
	e.save()
}

// difference says what the plane does otherwise than asked, or nothing.
func (e *Engine) difference(f agg.Facts) string {
	p := &e.plane
	switch {
	case !f.Device.Present:
		return "the device is gone"
	case f.Published == nil:
		return "the plane has no plan"
	case f.Published.Generation != p.published.Generation:
		return fmt.Sprintf("the plane has plan %d", f.Published.Generation)
	case !f.Published.Equal(p.published):
		return "the plane has another plan of the same generation"
	default:
		if why := e.strayDevice(f.Device); why != "" {
			return why
		}
		return e.strayPort()
	}
}

// strayPort names a port that has not the address or the MTU of the aggregate any more,
// since somebody else changed it.
func (e *Engine) strayPort() string {
	plan := e.plane.published
	if e.driver() != nil {
		return "" // which gives its ports their addresses
	}
	for _, l := range e.links {
		i := plan.PortByName(l.Name)
		switch {
		case i < 0 || !l.Present || plan.Ports[i].Index != l.Index:
		case !plan.MAC.IsZero() && l.MAC != plan.PortMAC(i):
			return fmt.Sprintf("port %s has the address %s", l.Name, l.MAC)
		case plan.MTU != 0 && l.MTU != plan.MTU:
			return fmt.Sprintf("port %s has an MTU of %d bytes", l.Name, l.MTU)
		}
	}
	return ""
}

// repair counts and records a difference and has the plan applied again. Repairs in a
// row are spread by the same pauses as refused calls.
func (e *Engine) repair(f agg.Facts, why string) {
	p := &e.plane
	p.repairs++
	p.failures++
	p.doubt, p.verified = true, false
	p.retryAt, p.verifyAt = e.w.Clock.Now().Add(backoff(p.failures)), agg.Never
	err := fmt.Errorf("plan %d of %s is not in force: %s", p.published.Generation, e.name, why)
	if p.lastErr == nil || p.lastErr.Error() != err.Error() {
		e.record(agg.Event{Kind: "plan", Cause: "repaired", Text: err.Error() + "; it is applied again"})
	}
	p.lastErr = err
	if f.Published != nil && f.Published.Generation > p.generation {
		p.generation = f.Published.Generation
		p.have = false
	}
	e.save()
}

// describe names the ports of a plan in usable order, for events.
func describe(p agg.Plan) string {
	order := orderOf(p)
	if len(order) == 0 {
		return fmt.Sprintf("plan %d: no port carries", p.Generation)
	}
	return fmt.Sprintf("plan %d: %s, %s", p.Generation, p.Select, strings.Join(order, ", "))
}

// orderOf returns the names of the usable ports in their order.
func orderOf(p agg.Plan) []string {
	order := []string{}
	for place := range p.Ports {
		for _, q := range p.Ports {
			if q.Order == place {
				order = append(order, q.Name)
			}
		}
	}
	return order
}
