package engine_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/agg"
)

// owners is the first choice of every entry of the table in force, by name.
func owners(p agg.Plan) []string {
	out := make([]string, len(p.Table))
	for i, c := range p.Table {
		out[i] = p.Ports[c.First].Name
	}
	return out
}

// A change of weights moves buckets that pause at once, and those in use when they do.
func TestAChangeOfWeightsDrainsTheBuckets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, map[string]string{"mode": "balance-xor"}, "eth1", "eth2")).start()
		defer func() { _ = r.stop() }()
		r.quiet(10 * time.Second)
		busy := r.carries()
		before := owners(r.published())
		other := map[string]int{"eth1": 1, "eth2": 0}[busy]
		wait := r.change(func(s *agg.Spec) { _ = s.Ports[other].Options.Set(agg.OfPort, "weight", "60000") })
		if by := r.talk(time.Millisecond, 300*time.Millisecond); !slices.Equal(by, []string{busy}) {
			t.Errorf("without a pause frames left by %v", by)
		}
		wait()
		moved := 0
		after := owners(r.published())
		for i := range after {
			if after[i] != before[i] {
				moved++
			}
		}
		if moved < 50 {
			t.Errorf("%d buckets that nobody used have moved", moved)
		}
		r.quiet(100 * time.Millisecond)
		if got := r.carries(); got == busy {
			t.Errorf("after the pause %s carries still", got)
		}
		r.quiet(time.Second)
		if got := r.causes("drain"); !slices.Equal(got, []string{"draining", "drained"}) {
			t.Errorf("events %v", got)
		}
	})
}

// A frame that comes after the last look at its bucket, and just before a plan is put in force,
// is not overtaken by the one behind it: whenever a frame leaves by another port than the one
// before it, there was a pause between them.
func TestAFlowThatWakesAsItsBucketMoves(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(s *agg.Spec, busy string)
	}{
		{"removal", func(s *agg.Spec, busy string) {
			s.Ports = slices.DeleteFunc(s.Ports, func(p agg.PortSpec) bool { return p.Name == busy })
		}},
		{"weight", func(s *agg.Spec, busy string) {
			for i := range s.Ports {
				if s.Ports[i].Name != busy {
					_ = s.Ports[i].Options.Set(agg.OfPort, "weight", "60000")
				}
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, spec(t, map[string]string{"mode": "balance-xor"}, "eth1", "eth2"))
				var mu sync.Mutex // the engine sends one as it puts a plan in force
				var last string
				var at agg.Instant
				send := func() string {
					mu.Lock()
					defer mu.Unlock()
					by, now := r.carries(), r.clock.Now()
					if last != "" && by != last && now.Sub(at) < agg.Pause {
						t.Errorf("a frame left by %s, and one by %s %v later", last, by, now.Sub(at))
					}
					last, at = by, now
					return by
				}
				var awake atomic.Bool
				r.flip = func() {
					if awake.Load() {
						send()
					}
				}
				r.start()
				defer func() { _ = r.stop() }()
				r.quiet(10 * time.Second)
				busy := send()
				r.quiet(time.Second)
				awake.Store(true)
				wait := r.change(func(s *agg.Spec) { c.change(s, busy) })
				for range 5 { // bursts with pauses between
					for range 10 {
						synctest.Wait()
						send()
						time.Sleep(time.Millisecond)
					}
					r.quiet(100 * time.Millisecond)
				}
				wait()
				if send() == busy {
					t.Errorf("%s carries still", busy)
				}
			})
		})
	}
}

// A daemon dies in the middle of a removal. Buckets whose traffic pauses move without it; the
// next daemon, which knows of no removal, has them come back, after a pause as well.
func TestWhatMovedWithoutADaemonComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, map[string]string{"mode": "balance-xor"}, "eth1", "eth2")).start()
		r.quiet(10 * time.Second)
		busy := r.carries()
		r.talk(time.Millisecond, 100*time.Millisecond)
		next := r.spec.Clone()
		next.Ports = slices.DeleteFunc(next.Ports, func(p agg.PortSpec) bool { return p.Name == busy })
		go func() { _ = r.e.Update(t.Context(), next) }() // never answered
		r.talk(time.Millisecond, 100*time.Millisecond)
		_ = r.stop()
		_ = r.plane.Close()
		if got := r.carries(); got != busy {
			t.Fatalf("%s carries without a pause", got)
		}
		r.quiet(100 * time.Millisecond)
		other := r.carries()
		if other == busy {
			t.Fatalf("after a pause %s carries still", busy)
		}
		r.start()
		defer func() { _ = r.stop() }()
		if by := r.talk(time.Millisecond, 300*time.Millisecond); !slices.Equal(by, []string{other}) {
			t.Errorf("without a pause frames left by %v", by)
		}
		r.quiet(100 * time.Millisecond)
		if got := r.carries(); got != busy {
			t.Errorf("after the pause %s carries", got)
		}
		r.quiet(2 * time.Second)
		if p := r.published(); p.Moving() || len(receivers(p)) != 2 {
			t.Errorf("in force: %+v", p)
		}
	})
}

// Where all flows move at once, the change waits for a pause of all.
func TestAnotherHashWaitsForAPause(t *testing.T) {
	for _, c := range []struct{ name, option, value string }{
		{"policy", "xmit_hash_policy", "layer2"}, {"map", "hash_map", "modulo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, spec(t, map[string]string{"mode": "balance-xor"}, "eth1", "eth2")).start()
				defer func() { _ = r.stop() }()
				r.quiet(10 * time.Second)
				r.carries()
				before := r.published()
				wait := r.change(func(s *agg.Spec) { _ = s.Options.Set(agg.OfAggregate, c.option, c.value) })
				r.talk(time.Millisecond, 300*time.Millisecond)
				if !r.published().Equal(before) {
					t.Error("the plan changed while frames were under way")
				}
				r.quiet(50 * time.Millisecond)
				wait()
				if r.published().Equal(before) {
					t.Error("the pause was not used")
				}
			})
		})
	}
}

// Traffic that does not pause holds a change up for a second.
func TestAnotherHashDoesNotWaitForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, map[string]string{"mode": "balance-xor"}, "eth1", "eth2")).start()
		defer func() { _ = r.stop() }()
		r.quiet(10 * time.Second)
		r.carries()
		wait := r.change(func(s *agg.Spec) { _ = s.Options.Set(agg.OfAggregate, "hash_map", "modulo") })
		r.talk(time.Millisecond, 1100*time.Millisecond)
		if got := r.published().Select; got != agg.SelectModulo {
			t.Errorf("after 1.1 s it is %s", got)
		}
		wait()
	})
}

// In the modes that look at no flow, frames have no order to keep: a port that is removed
// stops sending at once, and receives a little longer. With modulo every flow may move, so
// the removal waits for a pause of all first.
func TestARemovalWhereThereAreNoBuckets(t *testing.T) {
	for _, c := range []struct {
		mode, hashMap string
		waits         bool
	}{
		{mode: "balance-rr"}, {mode: "random"}, {mode: "broadcast"}, {"balance-xor", "modulo", true},
	} {
		t.Run(c.mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				options := map[string]string{"mode": c.mode}
				if c.hashMap != "" {
					options["hash_map"] = c.hashMap
				}
				r := newRig(t, spec(t, options, "eth1", "eth2", "eth3")).start()
				defer func() { _ = r.stop() }()
				r.quiet(10 * time.Second)
				r.carries()
				wait := r.change(func(s *agg.Spec) { s.Ports = s.Ports[:2] })
				synctest.Wait() // no time passes
				if sends := slices.Contains(owners(r.published()), "eth3"); sends != c.waits {
					t.Errorf("at first the port sends: %v", sends)
				}
				r.quiet(40 * time.Millisecond) // less than it listens, and more than the pause
				p := r.published()
				if slices.Contains(owners(p), "eth3") || !slices.Contains(receivers(p), "eth3") {
					t.Errorf("after 40 ms %v send and %v receive", owners(p), receivers(p))
				}
				r.quiet(time.Second)
				wait()
				if p := r.published(); p.PortByName("eth3") >= 0 {
					t.Errorf("the port is still there: %+v", p)
				}
			})
		})
	}
}

// A daemon that dies in the middle of a planned move leaves it to the next one, which ends
// it as it would have. A removal that was not made is not made, though its traffic has moved.
func TestTheNextDaemonEndsAPlannedMove(t *testing.T) {
	for _, c := range []struct {
		name  string
		mode  string
		alter func(s *agg.Spec)
		ends  string // which port carries then
	}{
		{"switch", "active-backup", func(s *agg.Spec) { _ = s.Options.Set(agg.OfAggregate, "active_slave", "eth2") }, "eth2"},
		{"weights", "balance-xor", func(s *agg.Spec) {
			_ = s.Ports[0].Options.Set(agg.OfPort, "weight", "1")
			_ = s.Ports[1].Options.Set(agg.OfPort, "weight", "60000")
		}, "eth2"},
		{"removal", "active-backup", func(s *agg.Spec) { s.Ports = s.Ports[1:] }, "eth2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, spec(t, map[string]string{"mode": c.mode}, "eth1", "eth2")).start()
				r.quiet(10 * time.Second)
				before := r.carries()
				next := r.spec.Clone()
				c.alter(&next)
				ended := make(chan struct{})
				go func() {
					_ = r.e.Update(t.Context(), next) // it dies with the daemon
					close(ended)
				}()
				r.talk(time.Millisecond, 100*time.Millisecond)
				if err := r.stop(); err != nil {
					t.Fatal(err)
				}
				<-ended
				r.spec = r.store.saved.Spec
				r.start()
				defer func() { _ = r.stop() }()
				if by := r.talk(time.Millisecond, 100*time.Millisecond); !slices.Equal(by, []string{before}) {
					t.Errorf("the next daemon moved traffic without a pause: %v, and %s before", by, before)
				}
				r.quiet(2 * time.Second)
				if got := r.carries(); got != c.ends {
					t.Errorf("in the end %s carries, want %s", got, c.ends)
				}
				if p := r.published(); len(p.Ports) != 2 || !r.status().Plan.InForce {
					t.Errorf("in the end %+v", p)
				}
			})
		})
	}
}

// A port that is added and comes up late takes its buckets from ports that work: those in use
// move when they pause. So does one whose cable comes back.
func TestAPortThatComesUpLateDrainsTheBuckets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, map[string]string{"mode": "balance-xor"}, "eth1", "eth2")).start()
		defer func() { _ = r.stop() }()
		r.quiet(10 * time.Second)
		late := r.carries()
		other := map[string]string{"eth1": "eth2", "eth2": "eth1"}[late]
		r.world.SetCarrier(late, false)
		r.quiet(time.Second)
		if got := r.carries(); got != other {
			t.Fatalf("%s carries without %s", got, late)
		}
		r.world.SetCarrier(late, true)
		if by := r.talk(time.Millisecond, 300*time.Millisecond); !slices.Equal(by, []string{other}) {
			t.Errorf("without a pause frames left by %v", by)
		}
		moved := 0
		for _, name := range owners(r.published()) {
			if name == late {
				moved++
			}
		}
		if moved < 100 {
			t.Errorf("%d buckets that nobody used have moved", moved)
		}
		r.quiet(100 * time.Millisecond)
		if got := r.carries(); got != late {
			t.Errorf("after the pause %s carries still", got)
		}
		if got := r.causes("drain"); len(got) < 2 {
			t.Errorf("events %v", got)
		}
		r.quiet(time.Second)
		if d := r.store.saved.Policy.Drain; d != nil {
			t.Errorf("the move has not ended: %+v", d)
		}
	})
}

// Traffic that never pauses moves back after a second, and a second port that comes up
// meanwhile does not make it wait longer.
func TestAPortThatComesUpDoesNotWaitForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, map[string]string{"mode": "balance-xor"}, "eth1", "eth2", "eth3")).start()
		defer func() { _ = r.stop() }()
		r.quiet(10 * time.Second)
		late := r.carries()
		ports := []string{"eth1", "eth2", "eth3"}
		another := ports[(slices.Index(ports, late)+1)%3]
		r.world.SetCarrier(late, false)
		r.world.SetCarrier(another, false)
		r.quiet(time.Second)
		busy := r.carries()
		r.world.SetCarrier(late, true)
		if by := r.talk(time.Millisecond, 600*time.Millisecond); !slices.Equal(by, []string{busy}) {
			t.Errorf("at first frames left by %v", by)
		}
		r.world.SetCarrier(another, true)
		r.talk(time.Millisecond, 500*time.Millisecond)
		if got := r.carries(); got != late {
			t.Errorf("after 1.1 s %s carries, want %s", got, late)
		}
	})
}

// A port that has to give its place to a better one, since only so many may carry, sends until
// its traffic pauses, or for a second; only then it tells the partner that it leaves.
func TestAPortThatIsReplacedDrains(t *testing.T) {
	for _, pauses := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			p := newPair(t, lacpSpec(t, map[string]string{"max_links": "1"}, "eth1", "eth2"), lacpSpec(t, map[string]string{"lacp_rate": "fast"}, "eth1", "eth2"))
			p.carrier("eth1", false)
			p.start()
			defer p.stop()
			p.a.quiet(3 * time.Second)
			if got := p.a.carries(); got != "eth2" {
				t.Fatalf("%s carries", got)
			}
			p.carrier("eth1", true)
			if by := p.a.talk(time.Millisecond, 700*time.Millisecond); !slices.Equal(by, []string{"eth2"}) {
				t.Errorf("without a pause frames left by %v", by)
			}
			s := p.a.status()
			if s.Carrying != 2 || s.Ports[1].LACP.Mux != "DISTRIBUTING" {
				t.Errorf("while it drains: %s", s.Summary)
			}
			if pauses {
				p.a.quiet(100 * time.Millisecond)
			} else {
				p.a.talk(time.Millisecond, 1200*time.Millisecond)
			}
			if got := p.a.carries(); got != "eth1" {
				t.Errorf("pauses %v: afterwards %s carries", pauses, got)
			}
			p.a.quiet(2 * time.Second)
			for _, r := range []*rig{p.a, p.b} {
				if s := r.status(); s.Carrying != 1 || !s.Ports[0].Carrying {
					t.Errorf("pauses %v: in the end %s", pauses, s.Summary)
				}
			}
			if c := p.b.status().Ports[1].LACP.Counters; c["rx_marker"] != 1 {
				t.Errorf("pauses %v: the partner heard %d Markers", pauses, c["rx_marker"])
			}
		})
	}
}

// A daemon that dies while LACP lets a port go has not removed it: the next one takes it back.
func TestTheNextDaemonTakesAPortBackThatWasLeaving(t *testing.T) {
	for _, after := range []time.Duration{1, 60, 100, 150, 200, 600, 1100} {
		after *= time.Millisecond
		synctest.Test(t, func(t *testing.T) {
			p := newPair(t, lacpSpec(t, nil, "eth1", "eth2"), lacpSpec(t, map[string]string{"lacp_rate": "fast"}, "eth1", "eth2"))
			p.start()
			defer p.stop()
			p.a.quiet(3 * time.Second)
			p.lose("b.eth1", true) // no Marker is answered, so that it takes longer
			next := p.a.spec.Clone()
			next.Ports = next.Ports[1:]
			ended := make(chan struct{})
			go func() {
				_ = p.a.e.Update(t.Context(), next) // it dies with the daemon
				close(ended)
			}()
			p.a.quiet(after)
			left := p.a.store.saved // what a daemon that is killed leaves
			if err := p.a.stop(); err != nil {
				t.Fatal(err)
			}
			<-ended
			p.a.store.saved = left
			p.lose("b.eth1", false)
			p.a.spec = p.a.store.saved.Spec
			p.a.start()
			p.a.quiet(5 * time.Second)
			want := len(p.a.spec.Ports)
			for _, r := range []*rig{p.a, p.b} {
				if s := r.status(); s.Carrying != want {
					t.Errorf("killed after %v with %d ports in the spec: %s", after, want, s.Summary)
				}
			}
		})
	}
}
