package sim

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
	"github.com/yokelag/yoke/plane/mem"
)

// run is one script being played.
type run struct {
	t        *testing.T
	script   Script
	step     int
	spec     agg.Spec // what is wanted now
	world    *mem.World
	plane    *mem.Plane
	e        *engine.Engine
	end      func()
	refusing bool // one call in three is refused
	saved    *engine.Saved
	mu       sync.Mutex
	start    time.Time

	// What the invariants remember.
	generation, seq uint64
	table           *agg.Plan
	speeds          string
	// moving: a change may have buckets that wait for a pause.
	moving bool
	held   map[int]string // see waited; guarded by mu
}

func (r *run) Now() agg.Instant { return agg.Instant(time.Since(r.start) + time.Hour) }

func (r *run) Subscribe(s engine.Subscription) (<-chan struct{}, func()) {
	return r.world.Watch(s.Names)
}

func (r *run) Read(ctx context.Context, names []string) ([]agg.LinkFacts, error) {
	return r.world.Read(ctx, names)
}

func (r *run) Save(s engine.Saved) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.saved = &s
	if d := s.Policy.Drain; d.Holding() {
		if r.held == nil {
			r.held = map[int]string{}
		}
		maps.Copy(r.held, d.Held)
	}
	return nil
}

func play(t *testing.T, s Script) {
	r := &run{t: t, script: s, spec: s.Spec.Clone(), start: time.Now()}
	r.world = mem.NewWorld(r)
	for _, p := range s.Spec.Ports {
		r.world.AddLink(p.Name)
	}
	r.begin()
	defer func() { r.end() }()
	for i, step := range s.Steps {
		r.step = i
		t.Logf("%v: step %d: %v", time.Since(r.start), i, step)
		r.do(step)
		synctest.Wait()
		r.check()
		time.Sleep(step.Pause)
		synctest.Wait()
		r.check()
		if step.Deed == Calm {
			r.checkSettled()
		}
	}
}

// failf ends the run with what is needed to see it again.
func (r *run) failf(format string, args ...any) {
	r.t.Helper()
	r.t.Logf("seed %d, step %d (%v)", r.script.Seed, r.step, r.script.Steps[r.step])
	r.t.Logf("replay: SIM_SEED=%d go test ./sim -run TestSeeds -v", r.script.Seed)
	r.t.Fatalf(format, args...)
}

func (r *run) begin() {
	r.plane = mem.Open(r.world, r.spec.Name)
	e, err := engine.New(r.spec, engine.World{Plane: r.plane, Links: r, Frames: r.world, Stations: r.world, Clock: r, Store: r}, r.saved)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	r.e = e
	r.end = func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
	}
	_ = e.Ready(ctx) // a refused beginning is tried again
}

func (r *run) do(s Step) {
	switch s.Deed {
	case Pull, Plug:
		r.world.SetCarrier(s.Port, s.Deed == Plug)
	case AdminOff, AdminOn:
		r.world.Change(s.Port, func(l *agg.LinkFacts) { l.AdminUp = s.Deed == AdminOn })
	case Forget:
		r.world.Change(s.Port, func(l *agg.LinkFacts) { l.Speed = 0 })
	case Learn:
		r.world.Change(s.Port, func(l *agg.LinkFacts) { l.Speed = 10000 })
	case Delete:
		r.world.DeleteLink(s.Port)
	case Create:
		r.world.AddLink(s.Port)
	case Overrun:
		r.world.Mute(true)
		r.world.SetCarrier(s.Port, !r.world.Link(s.Port).Carrier)
		r.world.Mute(false)
		r.world.Overrun()
	case Stubborn:
		r.refuse(true)
	case Obliging:
		r.oblige()
	case Restart:
		r.restart()
	case Change:
		r.change(s.Port)
	case Calm:
		r.oblige()
	}
}

// oblige refuses nothing any more, and gives the engine the time to try again.
func (r *run) oblige() {
	if !r.refusing {
		return
	}
	r.refuse(false)
	r.refusing = true
	time.Sleep(2 * time.Second)
	synctest.Wait()
	r.refusing = false
}

func (r *run) refuse(on bool) {
	r.refusing = on
	calls := 0
	r.world.Refuse(func(op string) error {
		if calls++; on && calls%3 == 0 {
			return errors.New(op + " refused")
		}
		return nil
	})
}

// restart ends the engine and starts another: where nothing happened between them,
// the plane must not notice.
func (r *run) restart() {
	r.oblige()
	time.Sleep(2 * time.Second)
	synctest.Wait()
	before, changes := r.observe(), r.plane.Changes()
	r.end()
	_ = r.plane.Close()
	r.begin()
	synctest.Wait()
	if after := r.observe(); !reflect.DeepEqual(before.Published, after.Published) || r.plane.Changes() != changes {
		r.failf("a restart changed the plan:\n%+v\n%+v", before.Published, after.Published)
	}
}

// change takes a port away, or gives it back.
func (r *run) change(port string) {
	spec := r.spec.Clone()
	if i := spec.Port(port); i < 0 {
		spec.Ports = append(spec.Ports, agg.PortSpec{Name: port})
	} else if len(spec.Ports) > 1 {
		spec.Ports = append(spec.Ports[:i], spec.Ports[i+1:]...)
	}
	if err := r.e.Update(r.t.Context(), spec); err == nil {
		r.spec, r.moving = spec, true
	} else if !r.refusing {
		r.failf("the change was refused: %v", err)
	}
}

// observe looks at the plane past all refusals.
func (r *run) observe() agg.Facts {
	for range 3 {
		if f, err := r.plane.Observe(r.t.Context()); err == nil {
			return f
		}
	}
	r.failf("the plane cannot be observed")
	return agg.Facts{}
}
