package engine

import (
	"context"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp/trace"
)

// Trace returns the last steps of the LACP of the aggregate. The error is an *agg.Problem
// where it speaks none.
func (e *Engine) Trace(ctx context.Context) (trace.Trace, error) {
	return ask(ctx, e, func(context.Context) (trace.Trace, error) {
		if e.lag.system == nil {
			return trace.Trace{}, &agg.Problem{Code: "no-lacp", Object: e.name, Rule: "it speaks no LACP; its mode is " + e.config.Mode.String(),
				Remedy: "`yoke capture` is for aggregates of mode 802.3ad; `yoke events " + e.name + "` tells what happened here"}
		}
		return e.steps.Trace(), nil
	})
}
