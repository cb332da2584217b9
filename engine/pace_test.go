package engine_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
	"github.com/yokelag/yoke/plane/mem"
)

// verifier is a plane that can tell little for less, and notes what it is asked.
type verifier struct {
	*mem.Plane
	mu    sync.Mutex
	asked []string
}

var _ engine.Verifier = (*verifier)(nil)

func (v *verifier) note(what string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked = append(v.asked, what)
}

func (v *verifier) Apply(ctx context.Context, p agg.Plan) error {
	v.note("apply")
	return v.Plane.Apply(ctx, p)
}

func (v *verifier) Observe(ctx context.Context) (agg.Facts, error) {
	v.note("observe")
	return v.Plane.Observe(ctx)
}

func (v *verifier) Verify(ctx context.Context) (agg.Facts, error) {
	v.note("verify")
	f, err := v.Plane.Observe(ctx)
	return agg.Facts{At: f.At, Device: f.Device, Published: f.Published, PublishedAt: f.PublishedAt}, err
}

// A new aggregate is looked at whole once, after its first plan; and so is one that is
// adopted, whose plan is known by the little.
func TestOneWholeLookAfterTheFirstPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1", "eth2"))
		for _, when := range []string{"new", "adopted"} {
			v := &verifier{Plane: mem.Open(r.world, r.spec.Name)}
			e, err := engine.New(r.spec, engine.World{
				Plane: v, Links: links{r.world, r.wait}, Frames: r.world, Slow: slow{r.world}, Clock: r.clock, Store: r.store, PID: 1,
			}, r.store.saved)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- e.Run(ctx) }()
			if err := e.Ready(ctx); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			cancel()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if want := []string{"verify", "apply", "observe"}; len(v.asked) < 3 || !slices.Equal(v.asked[:3], want) || slices.Contains(v.asked[3:], "observe") {
				t.Errorf("%s: asked %v, want %v first, and no more that is whole", when, v.asked, want)
			}
			if g := r.store.saved.Generation; g != 1 {
				t.Errorf("%s: the plan has generation %d", when, g)
			}
		}
	})
}
