package engine_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/agg"
)

// talk sends a frame by the aggregate every so often, for a while, and returns by which
// ports they left, without repetitions.
func (r *rig) talk(every, d time.Duration) (by []string) {
	for range d / every {
		if port := r.carries(); len(by) == 0 || by[len(by)-1] != port {
			by = append(by, port)
		}
		time.Sleep(every)
		synctest.Wait()
	}
	return by
}

// change sets an option in the background and returns what waits for it.
func (r *rig) change(alter func(s *agg.Spec)) (wait func()) {
	next := r.spec.Clone()
	alter(&next)
	done := make(chan error, 1)
	go func() { done <- r.e.Update(r.t.Context(), next) }()
	r.spec = next
	return func() {
		if err := <-done; err != nil {
			r.t.Error(err)
		}
	}
}

// causes are those of the events of a kind.
func (r *rig) causes(kind string) (out []string) {
	events, _ := r.e.Events(0)
	for _, e := range events {
		if e.Kind == kind {
			out = append(out, e.Cause)
		}
	}
	return out
}

func receivers(p agg.Plan) (out []string) {
	for _, q := range p.Ports {
		if q.Receive {
			out = append(out, q.Name)
		}
	}
	return out
}

// A switch that an operator asks for waits for a pause in the traffic, and the port that
// loses it listens a little longer.
func TestASwitchWaitsForAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1", "eth2")).start()
		defer func() { _ = r.stop() }()
		r.quiet(10 * time.Second)
		r.talk(time.Millisecond, 100*time.Millisecond)
		wait := r.change(func(s *agg.Spec) { _ = s.Options.Set(agg.OfAggregate, "active_slave", "eth2") })
		if by := r.talk(time.Millisecond, 500*time.Millisecond); !slices.Equal(by, []string{"eth1"}) {
			t.Errorf("without a pause frames left by %v", by)
		}
		wait()
		r.quiet(40 * time.Millisecond) // the pause
		if got := r.carries(); got != "eth2" {
			t.Errorf("after the pause %s carries", got)
		}
		if got := receivers(r.published()); !slices.Equal(got, []string{"eth1", "eth2"}) {
			t.Errorf("just after the move %v receive", got)
		}
		r.quiet(time.Second)
		if got := receivers(r.published()); !slices.Equal(got, []string{"eth2"}) {
			t.Errorf("later %v receive", got)
		}
		if got := r.causes("drain"); !slices.Equal(got, []string{"draining", "drained"}) {
			t.Errorf("events %v", got)
		}
	})
}

// Traffic that never pauses moves after a second.
func TestASwitchDoesNotWaitForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1", "eth2")).start()
		defer func() { _ = r.stop() }()
		r.quiet(10 * time.Second)
		r.carries()
		wait := r.change(func(s *agg.Spec) { _ = s.Options.Set(agg.OfAggregate, "primary", "eth2") })
		if by := r.talk(time.Millisecond, 2*time.Second); !slices.Equal(by, []string{"eth1", "eth2"}) {
			t.Errorf("frames left by %v", by)
		}
		wait()
	})
}

// A cable that is pulled while a move waits is a failover: at once.
func TestAFailoverDoesNotWaitForAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1", "eth2")).start()
		defer func() { _ = r.stop() }()
		r.quiet(10 * time.Second)
		r.carries()
		wait := r.change(func(s *agg.Spec) { _ = s.Options.Set(agg.OfAggregate, "active_slave", "eth2") })
		r.talk(time.Millisecond, 10*time.Millisecond)
		wait()
		r.world.SetCarrier("eth1", false)
		synctest.Wait() // no time passes
		if p := r.published(); p.Ports[p.Table[0].First].Name != "eth2" || p.Table[0].First == p.Table[0].Second {
			t.Errorf("after the loss %+v", p)
		}
	})
}

// A removal ends when the port's buckets have paused, and gives the port back then.
func TestARemovalDrainsTheBuckets(t *testing.T) {
	for _, mode := range []string{"balance-xor", "active-backup"} {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, spec(t, map[string]string{"mode": mode}, "eth1", "eth2", "eth3")).start()
				defer func() { _ = r.stop() }()
				r.quiet(10 * time.Second)
				leaving := r.carries()
				own := r.world.Link(leaving)
				wait := r.change(func(s *agg.Spec) {
					s.Ports = slices.DeleteFunc(s.Ports, func(p agg.PortSpec) bool { return p.Name == leaving })
				})
				if by := r.talk(time.Millisecond, 300*time.Millisecond); !slices.Equal(by, []string{leaving}) {
					t.Errorf("without a pause frames left by %v", by)
				}
				if r.world.Link(leaving) != own {
					t.Error("the port was given back before")
				}
				r.quiet(200 * time.Millisecond)
				wait()
				if p := r.published(); p.PortByName(leaving) >= 0 || r.carries() == leaving {
					t.Errorf("the port is still there: %+v", p)
				}
				if got := r.causes("drain"); !slices.Equal(got, []string{"draining", "drained"}) {
					t.Errorf("events %v", got)
				}
			})
		})
	}
}

// drain_timeout bounds the wait, and 0 makes every move at once.
func TestDrainTimeout(t *testing.T) {
	for _, c := range []struct {
		timeout string
		within  time.Duration
	}{{"0", time.Millisecond}, {"200ms", 250 * time.Millisecond}} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, spec(t, map[string]string{"drain_timeout": c.timeout}, "eth1", "eth2")).start()
			defer func() { _ = r.stop() }()
			r.quiet(10 * time.Second)
			r.carries()
			wait := r.change(func(s *agg.Spec) { _ = s.Options.Set(agg.OfAggregate, "active_slave", "eth2") })
			synctest.Wait()
			r.talk(time.Millisecond, c.within)
			if got := r.carries(); got != "eth2" {
				t.Errorf("drain_timeout=%s: after %v %s carries", c.timeout, c.within, got)
			}
			wait()
		})
	}
}
