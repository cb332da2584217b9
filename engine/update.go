package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/yokelag/yoke/agg"
)

// update puts spec in force, or leaves everything as it was.
func (e *Engine) update(ctx context.Context, spec agg.Spec, again []string) error {
	if spec.Name != e.name {
		return fmt.Errorf("update %s: the spec is that of %s", e.name, spec.Name)
	}
	e.round(ctx)
	gone := e.makeWay(ctx, spec)
	if ctx.Err() != nil {
		return fmt.Errorf("update %s: %w", e.name, ErrStopped)
	}
	before, mark := e.mind, e.mark()
	e.adopt(spec)
	e.policy, e.driven.again = e.policy.Again(again), again
	err := e.insist(ctx)
	e.driven.again = nil
	if err != nil {
		e.mind = before
		e.stay(gone)
		e.plane.doubt, e.plane.failures = true, 0
		e.record(agg.Event{Kind: "config", Cause: "refused", Text: "the change was refused and taken back: " + err.Error()})
		e.round(ctx)
		return fmt.Errorf("update %s: %w", e.name, err)
	}
	e.forgetNumbers()
	e.subscribe()
	e.announceMove(mark)
	announced := e.announceDue(ctx)
	e.record(agg.Event{Kind: "config", Cause: "changed", Text: "the configuration was changed"})
	e.note(mark)
	e.record(announced...)
	e.save()
	return nil
}

// insist tries to put the spec in force, a few times where the error may pass.
func (e *Engine) insist(ctx context.Context) error {
	for try := 1; ; try++ {
		err := e.attempt(ctx)
		if err == nil || refused(err) || try == updateTries {
			return err
		}
		select {
		case <-time.After(backoff(try)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (e *Engine) attempt(ctx context.Context) error {
	links, err := e.readLinks(ctx)
	if err != nil {
		return fmt.Errorf("read the state of the ports: %w", err)
	}
	e.decide(ctx, links)
	if e.plane.have && !e.plane.doubt && e.want.Equal(e.plane.published) && !e.untold() {
		return nil
	}
	return e.apply(ctx)
}
