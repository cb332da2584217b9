package engine

import (
	"context"

	"github.com/yokelag/yoke/agg"
)

// Record adds an event about what was done to the aggregate from outside of its engine.
// The engine fills in aggregate, time and number. Without an engine that runs it is lost.
func (e *Engine) Record(ctx context.Context, event agg.Event) {
	_ = e.call(ctx, func(context.Context) error { // an event more or less changes nothing
		e.record(event)
		e.save()
		return nil
	})
}
