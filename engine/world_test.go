package engine_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
	"github.com/yokelag/yoke/plane/mem"
)

var _ engine.Plane = (*mem.Plane)(nil)

// clock is a boot clock that follows the bubble's time.
type clock struct{ start time.Time }

func (c clock) Now() agg.Instant { return agg.Instant(time.Since(c.start) + time.Hour) }

// links makes a world's links those of an engine.
type links struct {
	*mem.World
	wait func()
}

func (l links) Read(ctx context.Context, names []string) ([]agg.LinkFacts, error) {
	l.wait()
	return l.World.Read(ctx, names)
}

// slowPlane is a plane that takes its time to look.
type slowPlane struct {
	engine.Plane
	wait, flip func()
}

func (p slowPlane) Apply(ctx context.Context, plan agg.Plan) error {
	p.flip()
	return p.Plane.Apply(ctx, plan)
}

func (p slowPlane) Observe(ctx context.Context) (agg.Facts, error) {
	p.wait()
	return p.Plane.Observe(ctx)
}

func (l links) Subscribe(s engine.Subscription) (<-chan struct{}, func()) { return l.Watch(s.Names) }

// store keeps the newest saved state.
type store struct {
	mu    sync.Mutex
	saved *engine.Saved
	saves int
	// disk is how long a write takes, full why there is none.
	disk time.Duration
	full error
}

func (s *store) Save(v engine.Saved) error {
	time.Sleep(s.disk)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full != nil {
		return s.full
	}
	s.saved = &v
	s.saves++
	return nil
}

// rig is an engine with its world, in a synctest bubble.
type rig struct {
	t     *testing.T
	clock clock
	world *mem.World
	plane *mem.Plane
	store *store
	spec  agg.Spec
	e     *engine.Engine
	stop  func() error
	// above, where set, stands in for the world's stations.
	above engine.Stations
	// keep, where set, speaks when the engine does not.
	keep engine.KeepAlive
	// wait is called before the kernel or the plane is asked.
	wait func()
	// flip is called before the plane is given a plan.
	flip func()
}

func (r *rig) stations() engine.Stations {
	if r.above != nil {
		return r.above
	}
	return r.world
}

func newRig(t *testing.T, spec agg.Spec) *rig {
	t.Helper()
	r := &rig{t: t, clock: clock{time.Now()}, store: &store{}, spec: spec, wait: func() {}, flip: func() {}}
	r.world = mem.NewWorld(r.clock)
	for _, p := range spec.Ports {
		r.world.AddLink(p.Name)
	}
	return r
}

// start runs an engine over the rig's world, with the state of the one before.
func (r *rig) start() *rig {
	r.t.Helper()
	r.plane = mem.Open(r.world, r.spec.Name)
	e, err := engine.New(r.spec, engine.World{
		Plane: slowPlane{r.plane, r.wait, r.flip}, Links: links{r.world, r.wait}, Frames: r.world, Slow: slow{r.world}, KeepAlive: r.keep, Stations: r.stations(), Clock: r.clock, Store: r.store, PID: 1,
	}, r.store.saved)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	r.e = e
	r.stop = func() error { cancel(); return <-done }
	if err := e.Ready(r.t.Context()); err != nil {
		r.t.Log("ready:", err)
	}
	return r
}

// quiet lets everything settle.
func (r *rig) quiet(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (r *rig) status() agg.Status {
	r.t.Helper()
	s, err := r.e.Status(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

func (r *rig) published() agg.Plan {
	r.t.Helper()
	f, err := r.plane.Observe(r.t.Context())
	if err != nil || f.Published == nil {
		r.t.Fatalf("observe: %v, published %v", err, f.Published)
	}
	return *f.Published
}

// carries returns the port on which a broadcast frame of the aggregate leaves.
func (r *rig) carries() string {
	frame := make([]byte, 60)
	copy(frame, "\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\xb5")
	if out := r.plane.Send(frame); len(out) == 1 {
		return out[0]
	}
	return ""
}

func spec(t *testing.T, options map[string]string, ports ...string) agg.Spec {
	t.Helper()
	s := agg.Spec{Name: "bond0"}
	for k, v := range options {
		if err := s.Options.Set(agg.OfAggregate, k, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range ports {
		s.Ports = append(s.Ports, agg.PortSpec{Name: p})
	}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	return s
}
