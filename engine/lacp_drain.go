package engine

import (
	"context"
	"slices"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
)

// farewell takes ports out of their aggregator that a change of the spec is about to
// remove, after their traffic has moved: a marker tells when the partner has all that
// was sent, and only then synchronization is given up, and what the partner still sends
// is received. The machines bound how long that takes. It returns the ports.
func (e *Engine) farewell(ctx context.Context, next agg.Spec) []uint16 {
	l := &e.lag
	if l.system == nil {
		return nil
	}
	var gone []uint16
	for _, p := range e.config.Ports {
		if !slices.ContainsFunc(next.Ports, func(q agg.PortSpec) bool { return q.Name == p.Name }) {
			gone = append(gone, l.number(p.Name))
		}
	}
	if e.config.DrainTimeout == 0 {
		return gone
	}
	for _, n := range gone {
		e.stepLACP(lacp.Input{At: e.w.Clock.Now(), Kind: lacp.Drain, Port: n})
	}
	whole := true
	for !l.drained(gone) && ctx.Err() == nil {
		if whole {
			e.round(ctx)
		}
		if l.drained(gone) {
			break
		}
		whole = e.serve(ctx, agg.Never, nil)
	}
	return gone
}

func (l *lag) drained(ports []uint16) bool {
	for _, n := range ports {
		if v, ok := l.system.Port(n); ok && !v.Drained {
			return false
		}
	}
	return true
}

// stay takes ports back that were to be removed.
func (e *Engine) stay(ports []uint16) {
	for _, n := range ports {
		e.stepLACP(lacp.Input{At: e.w.Clock.Now(), Kind: lacp.Undrain, Port: n})
	}
}

// Leave tells the partner that no port takes part any more. It is for who takes the
// aggregate apart: LACP says nothing after that.
func (e *Engine) Leave(ctx context.Context) {
	_ = e.in(ctx, e.changes, func(ctx context.Context) error { // an engine that has stopped says nothing
		l := &e.lag
		if l.system == nil {
			return nil
		}
		last := l.config
		last.Ports = nil
		e.reconfigure(ctx, e.w.Clock.Now(), last)
		l.left = true
		return nil
	})
}

// yieldTime is how long a port that gives its place to a better one may wait for a pause. The
// move has its own end, which comes before.
func (e *Engine) yieldTime() time.Duration {
	if e.config.DrainTimeout == 0 || e.config.HashMap != agg.Buckets || !e.w.Plane.Capability().BucketCounters {
		return 0
	}
	return e.config.DrainTimeout + yieldSpare
}

// giveWay tells the machines of ports that give their place away and that no entry of the
// plan in force leads to any more.
func (e *Engine) giveWay() {
	l := &e.lag
	if l.system == nil || e.plane.doubt || !e.plane.have {
		return
	}
	for _, p := range e.config.Ports {
		number := l.number(p.Name)
		if !l.system.Yields(number) || e.leads(p.Name) {
			continue
		}
		e.stepLACP(lacp.Input{At: e.w.Clock.Now(), Kind: lacp.Yielded, Port: number})
		l.relook = true // what follows from it
	}
}

// leads reports whether an entry of the table in force, or the one that is wanted, leads to a
// port.
func (e *Engine) leads(port string) bool {
	for _, plan := range []agg.Plan{e.plane.published, e.want} {
		i := plan.PortByName(port)
		if i >= 0 && slices.ContainsFunc(plan.Table, func(c agg.Choice) bool { return c.First == i }) {
			return true
		}
	}
	return false
}
