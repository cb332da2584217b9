package engine_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
)

// keep writes down what an engine tells its keep-alive.
type keep struct {
	mu    sync.Mutex
	clock clock
	// late is the longest time between two beats.
	beat agg.Instant
	late time.Duration
	said map[int]engine.Words
	kept map[int]engine.Kept
	// missing is what the next Mend finds.
	missing, mends int
	// slow is how long Kept takes, up to whose end partners are answered.
	slow time.Duration
}

func newKeep(c clock) *keep {
	return &keep{clock: c, said: map[int]engine.Words{}, kept: map[int]engine.Kept{}}
}

func (k *keep) Every() time.Duration { return 250 * time.Millisecond }

func (k *keep) Beat(now agg.Instant) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.beat != agg.Never {
		k.late = max(k.late, now.Sub(k.beat))
	}
	k.beat = now
	return nil
}

func (k *keep) Set(ifindex int, w engine.Words) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.said[ifindex] = w
	return nil
}

func (k *keep) Kept(ifindex int) (engine.Kept, bool, error) {
	time.Sleep(k.slow)
	k.mu.Lock()
	defer k.mu.Unlock()
	out, ok := k.kept[ifindex]
	return out, ok, nil
}

func (k *keep) Mend() (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mends++
	out := k.missing
	k.missing = 0
	return out, nil
}

func (k *keep) Remove(ifindex int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.said, ifindex)
	return nil
}

func (k *keep) of(ifindex int) (engine.Words, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	w, ok := k.said[ifindex]
	return w, ok
}

func TestKeepAliveKnowsWhatWasAgreed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, lacpSpec(t, nil, "eth1", "eth2"), lacpSpec(t, nil, "eth1", "eth2"))
		k := newKeep(p.a.clock)
		p.a.keep = k
		p.start()
		defer p.stop()
		p.a.quiet(10 * time.Second)
		if k.late > 300*time.Millisecond {
			t.Errorf("%v between two beats", k.late)
		}
		s := p.a.status()
		one, two := p.a.world.Link("eth1").Index, p.a.world.Link("eth2").Index
		w, ok := k.of(one)
		if actor := s.Ports[0].LACP.Actor; !ok || !w.Speak || w.Actor.Port != actor.Port || w.Actor.Key != actor.Key || agg.MAC(w.Partner.System) != s.LACP.Partner {
			t.Errorf("%+v for %+v", w, s.Ports[0].LACP)
		}
		p.carrier("eth1", false)
		p.a.quiet(time.Second)
		if w, ok := k.of(one); !ok || w.Speak {
			t.Errorf("without a carrier: %+v", w)
		}
		if err := p.a.e.Update(t.Context(), lacpSpec(t, nil, "eth1")); err != nil {
			t.Fatal(err)
		}
		p.a.quiet(time.Second)
		if _, ok := k.of(two); ok {
			t.Error("it may still speak on a port that is none any more")
		}
		if _, ok := k.of(one); !ok {
			t.Error("it may not speak on the port that stays")
		}
	})
}

func TestWhatSomebodyTakesOffIsPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, lacpSpec(t, nil, "eth1"), lacpSpec(t, nil, "eth1"))
		k := newKeep(p.a.clock)
		p.a.keep = k
		p.start()
		defer p.stop()
		p.a.quiet(10 * time.Second)
		k.mu.Lock()
		before := k.mends
		k.missing = 1
		k.mu.Unlock()
		p.a.quiet(5 * time.Second)
		if k.mends == before || k.missing != 0 {
			t.Fatalf("%d looks in 15 s, %d before", k.mends, before)
		}
		events, _ := p.a.e.Events(0)
		if last := events[len(events)-1]; last.Cause != "keep-alive-mended" {
			t.Errorf("the last event is %+v", last)
		}
	})
}

// orphaned is a pair at fast rate whose first end stopped when both had agreed.
func orphaned(t *testing.T) *pair {
	t.Helper()
	fast := map[string]string{"lacp_rate": "fast"}
	p := newPair(t, lacpSpec(t, fast, "eth1"), lacpSpec(t, fast, "eth1"))
	p.start()
	p.a.quiet(time.Second)
	_ = p.a.stop()
	return p
}

func TestWhatWasKeptAliveGoesOn(t *testing.T) {
	for name, c := range map[string]struct {
		kept    engine.Kept
		resumes bool
	}{
		"answered": {engine.Kept{Answers: 9, Spoken: 1}, true},
		"stopped":  {engine.Kept{Answers: 9, Spoken: 1, Stopped: "partner-changed"}, false},
		"nobody":   {engine.Kept{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := orphaned(t)
				defer p.b.stop()
				p.a.quiet(10 * time.Second)
				k := newKeep(p.a.clock)
				if c.kept.Spoken != agg.Never {
					c.kept.Spoken = k.clock.Now().Add(-500 * time.Millisecond)
					k.kept[p.a.world.Link("eth1").Index] = c.kept
				}
				p.a.keep = k
				p.a.start()
				defer p.a.stop()
				events, _ := p.a.e.Events(0)
				want := "LACP goes on with 0 of 1 ports"
				if c.resumes {
					want = "LACP goes on with 1 of 1 ports"
				}
				found := false
				for _, e := range events {
					found = found || strings.Contains(e.Text, want)
				}
				if !found {
					t.Errorf("no event %q", want)
				}
			})
		})
	}
}

// What was said meanwhile may take long to read. Partners have a whole timeout to be heard
// from then on: those who spoke before were not listened to.
func TestReadingWhatWasKeptAliveCostsPartnersNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := orphaned(t)
		defer p.b.stop()
		seq := lastSeq(p.a.e)
		k := newKeep(p.a.clock)
		k.slow = 4 * time.Second // the timeout is 3 s
		k.kept[p.a.world.Link("eth1").Index] = engine.Kept{Answers: 9, Spoken: k.clock.Now().Add(k.slow)}
		p.a.keep = k
		p.a.start()
		defer p.a.stop()
		p.a.quiet(k.slow)
		events, _ := p.a.e.Events(seq)
		resumed := false
		for _, e := range events {
			resumed = resumed || strings.Contains(e.Text, "LACP goes on with 1 of 1 ports")
			if e.Cause == "RX-13" {
				t.Errorf("the partner had no time to be heard: %+v", e)
			}
		}
		if !resumed {
			t.Errorf("the port was not resumed: %+v", events)
		}
	})
}
