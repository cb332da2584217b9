package engine

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/yokelag/yoke/agg"
)

// Verifier is a Plane that can tell what is in force for much less than Observe costs.
type Verifier interface {
	// Verify reads back the device and the plan in force as Observe does, and leaves out
	// ports, counters, table entries and filters of others, also the repair of them.
	Verify(ctx context.Context) (agg.Facts, error)
}

// Many aggregates in one daemon are looked at less often each, so that all together
// never take more than a small share of one core.
const (
	// verifyShare is the time between two verifications of any two aggregates, observeShare
	// that between two whole observations.
	verifyShare  = 300 * time.Millisecond
	observeShare = time.Second
)

// verifyPeriod is the time to the next verification, a little different for each
// aggregate, so that they do not all come at once.
func (e *Engine) verifyPeriod() time.Duration { return stretched(verifyShare, e.peers(), e.name) }

// observePeriod is the longest time without a whole observation.
func (e *Engine) observePeriod() time.Duration { return stretched(observeShare, e.peers(), e.name) }

// peers is the number of aggregates that share the processor, this one included.
func (e *Engine) peers() int {
	if e.w.Peers == nil {
		return 1
	}
	return max(1, e.w.Peers())
}

// stretched is verifyEvery where few share the processor, else up to an eighth more than
// share for each.
func stretched(share time.Duration, peers int, name string) time.Duration {
	wanted := share * time.Duration(peers)
	if wanted <= verifyEvery {
		return verifyEvery
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // never fails
	return wanted + wanted*time.Duration(h.Sum32()%256)/2048
}

// look reads what verification needs: the whole when that is due, else the least that
// the plane can do. The bool tells which.
func (e *Engine) look(ctx context.Context) (f agg.Facts, whole bool, err error) {
	v, ok := e.w.Plane.(Verifier)
	now := e.w.Clock.Now()
	// The one after a new plan counts as whole too, so that its effect is seen.
	if !ok || !e.plane.verified || now.Sub(e.plane.wholeAt) >= e.observePeriod()-time.Millisecond {
		f, err = e.observe(ctx)
		return f, true, err
	}
	if f, err = v.Verify(ctx); err != nil {
		return f, false, fmt.Errorf("verify %s: %w", e.name, err)
	}
	e.plane.observedAt = now
	return f, false, nil
}
