package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync/atomic"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/announce"
	"github.com/yokelag/yoke/lacp/trace"
	"github.com/yokelag/yoke/policy"
	"github.com/yokelag/yoke/watch"
)

// World is everything outside of an engine. All fields but Slow, KeepAlive, Stations, Log,
// Peers and Deleted are required.
type World struct {
	Plane  Plane
	Links  Links
	Frames Frames
	// Slow is how LACP is spoken; nil leaves it silent.
	Slow Slow
	// KeepAlive speaks LACP when the engine does not; nil where nobody does.
	KeepAlive KeepAlive
	// Stations tells whom announcements are for; nil means that nothing is announced.
	Stations Stations
	Clock    Clock
	Store    Store
	// Log gets one line for each event; nil means none.
	Log *slog.Logger
	// Peers tells how many aggregates share the processor, this one included; nil means
	// that it is alone. It may be called at any time.
	Peers func() int
	// Deleted is told that somebody deleted the aggregate's own device, so that the
	// aggregate is taken apart. It must return at once and may be told again. Nil means
	// that the plane makes the device anew.
	Deleted func()
	// Renamed is told the name that somebody gave the aggregate's device, once; the
	// aggregate may be given it, by another engine. It must return at once. Nil means that
	// the aggregate keeps its own.
	Renamed func(to string)
	// PID is shown in status.
	PID int
}

// ErrStopped is returned by calls to an engine that does not run any more.
var ErrStopped = errors.New("the engine of this aggregate has stopped")

// Engine looks after one aggregate. One goroutine, that of Run, owns its state; the
// other methods may be called by any, also before Run.
type Engine struct {
	name  string
	w     World
	ring  *ring
	saver *saver
	// calls are served also while a change waits for traffic to pause; changes wait for
	// each other.
	calls, changes chan func(ctx context.Context)
	alive          chan struct{} // taken from by whoever wants to know that Run goes on

	ready chan struct{} // closed after the first attempt to apply a plan
	begun error         // its result, written before ready is closed
	ended chan struct{} // closed when Run returns
	// wanted is the spec as it was saved last.
	wanted atomic.Pointer[agg.Spec]

	// All that follows belongs to the goroutine of Run.
	mind
	plane   planeState
	tables  policy.Tables // work remembered from plan to plan
	softnet growth
	told    announce.State // what is left to announce
	drainAt agg.Instant    // when a planned move goes on
	// changing: a change waits for traffic to pause.
	changing bool
	leaving  []string       // ports that are drained to be removed
	former   map[int]string // by which ports buckets left before a change that is being made
	sub      subscription
	lag      lag
	steps    trace.Ring // the last steps of lag.system
	kept     kept
	driven   driven
	// away is the device as this engine found it under the plan of the one before.
	away agg.DeviceFacts
	// readAt is when Links.Read is tried again after readFails failures in a row.
	readAt    agg.Instant
	readFails int
	stopped   agg.Instant
}

// mind is what an engine wants and why. A change of the spec that fails is taken back
// by putting the earlier mind back.
type mind struct {
	spec    agg.Spec
	config  agg.Config
	mac     agg.MAC
	watches []watch.Watch // as config.Ports
	ports   map[string]*portState
	links   []agg.LinkFacts // as config.Ports
	policy  policy.State
	moves   policy.Overlay
	reasons []policy.Reason
	want    agg.Plan // the newest plan; its generation is given when it is applied
}

// portState is what is remembered of a port beside its watch.
type portState struct {
	index    int // that the engine before saw, 0 for none
	verdict  watch.Verdict
	failures uint64
	gates    map[string]GateState
	lag      lagState
}

func (p *portState) clone() *portState {
	q := *p
	q.gates = maps.Clone(p.gates)
	return &q
}

// New returns an engine for a valid spec. saved is nil for a new aggregate; the spec
// may differ from the saved one. New has no effect outside of the process.
func New(spec agg.Spec, w World, saved *Saved) (*Engine, error) {
	if w.Log == nil {
		w.Log = slog.New(slog.DiscardHandler)
	}
	e := &Engine{
		name: spec.Name, w: w, calls: make(chan func(context.Context)), changes: make(chan func(context.Context)), alive: make(chan struct{}),
		ready: make(chan struct{}), ended: make(chan struct{}), saver: newSaver(w.Store),
	}
	if e.driver() != nil {
		e.w.Stations = nil // the driver announces by itself
	}
	if saved == nil {
		saved = &Saved{}
	}
	if err := saved.check(spec.Name); err != nil {
		return nil, err
	}
	e.restore(saved.clone())
	e.adopt(spec.Clone())
	first := spec.Clone()
	e.wanted.Store(&first)
	return e, nil
}

func (e *Engine) restore(s Saved) {
	seq := s.Seq
	if s.Seq > 0 && s.Stopped == agg.Never {
		seq += seqGap
	}
	e.ring = newRing(seq, s.Events)
	e.mac, e.policy, e.moves, e.told = s.MAC, s.Policy, s.Moves, s.Announce
	e.plane.generation, e.plane.publishedAt, e.plane.repairs = s.Generation, s.PublishedAt, s.Repairs
	e.restoreLACP(s.LACP)
	e.ports = map[string]*portState{}
	for _, c := range s.Spec.Config().Ports {
		p, ok := s.Ports[c.Name]
		if !ok {
			continue
		}
		e.ports[c.Name] = &portState{failures: p.Failures, index: p.Index, gates: p.Gates, verdict: watch.Verdict{Phase: p.Watch.Phase}}
		w := watch.For(s.Spec.Config(), c)
		w.Restore(p.Watch)
		e.config.Ports = append(e.config.Ports, c)
		e.watches = append(e.watches, w)
	}
}

// Run looks after the aggregate until ctx ends. It leaves the plane as it is, and
// returns after the last state was saved: the error is that of saving it.
func (e *Engine) Run(ctx context.Context) error {
	defer close(e.ended)
	saved := make(chan struct{})
	go func() {
		defer close(saved)
		e.saver.run()
	}()
	e.loop(ctx)
	e.stopped = e.w.Clock.Now()
	e.saver.put(e.snapshot())
	e.saver.stop()
	<-saved
	return e.saver.lastError()
}

// Ready waits for the first attempt to put a plan in force and returns its error.
// Afterwards the engine goes on trying, whatever the error was.
func (e *Engine) Ready(ctx context.Context) error {
	select {
	case <-e.ready:
		return e.begun
	case <-e.ended:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Status reads what the plane reports now and returns it with reasons.
func (e *Engine) Status(ctx context.Context) (agg.Status, error) {
	return ask(ctx, e, func(ctx context.Context) (agg.Status, error) {
		e.round(ctx)
		facts, err := e.observe(ctx)
		return Report(e.view(facts, err)), nil
	})
}

// Facts reads what the plane reports now.
func (e *Engine) Facts(ctx context.Context) (agg.Facts, error) {
	return ask(ctx, e, e.observe)
}

// Alive waits until the goroutine of Run is free to do what comes, and has it do nothing:
// neither the kernel nor the plane is asked.
func (e *Engine) Alive(ctx context.Context) error {
	select {
	case <-e.alive:
		return nil
	case <-e.ended:
		return fmt.Errorf("%s: %w", e.name, ErrStopped)
	case <-ctx.Done():
		return fmt.Errorf("%s is busy: %w", e.name, ctx.Err())
	}
}

// Spec returns what is wanted now.
func (e *Engine) Spec(ctx context.Context) (agg.Spec, error) {
	return ask(ctx, e, func(context.Context) (agg.Spec, error) { return e.spec.Clone(), nil })
}

// Update changes what is wanted; the caller has validated spec, and its name is that
// of the aggregate. After an error everything is as it was before: the earlier spec is
// wanted and its plan was applied again. A change that was made is saved before Update
// returns, or the status says that it could not be: a daemon killed afterwards goes on with it.
//
// again are options that somebody has set just now and that are [policy.Selecting]: the port
// that they name becomes active also where they were the same before.
func (e *Engine) Update(ctx context.Context, spec agg.Spec, again ...string) error {
	if err := e.in(ctx, e.changes, func(ctx context.Context) error { return e.update(ctx, spec.Clone(), again) }); err != nil {
		return err
	}
	return e.saver.settle(ctx)
}

// Events returns the events after the one numbered since, oldest first, and how many
// after it are not kept any more.
func (e *Engine) Events(since uint64) (events []agg.Event, lost uint64) { return e.ring.since(since) }

// WaitEvent returns when there is an event after the one numbered since, or with the
// error of ctx.
func (e *Engine) WaitEvent(ctx context.Context, since uint64) error { return e.ring.wait(ctx, since) }

// call runs f, which changes nothing that is wanted, in the goroutine of Run.
func (e *Engine) call(ctx context.Context, f func(ctx context.Context) error) error {
	return e.in(ctx, e.calls, f)
}

// ask is call for an f that answers. The answer travels by a channel: who goes away early
// leaves f running.
func ask[T any](ctx context.Context, e *Engine, f func(ctx context.Context) (T, error)) (answer T, err error) {
	answers := make(chan T, 1)
	err = e.call(ctx, func(ctx context.Context) error {
		value, err := f(ctx)
		answers <- value
		return err
	})
	if err == nil {
		answer = <-answers
	}
	return answer, err
}

// in runs f in the goroutine of Run when it takes the next one of queue.
func (e *Engine) in(ctx context.Context, queue chan<- func(context.Context), f func(ctx context.Context) error) error {
	done := make(chan error, 1)
	work := func(inner context.Context) { done <- f(inner) }
	select {
	case queue <- work:
	case <-e.ended:
		return fmt.Errorf("%s: %w", e.name, ErrStopped)
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-e.ended:
		return fmt.Errorf("%s: %w", e.name, ErrStopped)
	case <-ctx.Done():
		return ctx.Err()
	}
}
