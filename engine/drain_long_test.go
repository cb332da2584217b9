package engine_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/agg"
)

// spoken measures the longest time between two LACPDUs by one port of a.
type spoken struct {
	last agg.Instant
	gap  time.Duration
}

func (p *pair) listenTo(port string) *spoken {
	s := &spoken{last: p.a.clock.Now()}
	p.a.world.Cable(port, func(f []byte) {
		now := p.a.clock.Now()
		s.gap, s.last = max(s.gap, now.Sub(s.last)), now
		p.b.world.Arrive(port, f)
	})
	return s
}

// A change that waits long for traffic to pause holds up nobody: the partner hears every
// LACPDU in time and is heard, who asks is answered, and only another change waits.
func TestALongDrainServesEverybody(t *testing.T) {
	for _, c := range []struct {
		name  string
		alter func(s *agg.Spec, busy string)
	}{
		{"removal", func(s *agg.Spec, busy string) {
			s.Ports = slices.DeleteFunc(s.Ports, func(p agg.PortSpec) bool { return p.Name == busy })
		}},
		{"hash", func(s *agg.Spec, _ string) { _ = s.Options.Set(agg.OfAggregate, "hash_map", "modulo") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fast := map[string]string{"lacp_rate": "fast", "drain_timeout": "12s"}
				p := newPair(t, lacpSpec(t, fast, "eth1", "eth2", "eth3"), lacpSpec(t, fast, "eth1", "eth2", "eth3"))
				p.start()
				defer p.stop()
				p.a.quiet(3 * time.Second)
				busy, before := p.a.carries(), p.a.published()
				eth1, eth2, seq := p.listenTo("eth1"), p.listenTo("eth2"), lastSeq(p.b.e)
				first := p.a.change(func(s *agg.Spec) { c.alter(s, busy) })
				p.a.talk(5*time.Millisecond, 2*time.Second)
				second := p.a.change(func(s *agg.Spec) { _ = s.Options.Set(agg.OfAggregate, "min_links", "2") })
				asked := make(chan agg.Status, 1)
				go func() {
					if s, err := p.a.e.Status(t.Context()); err == nil {
						asked <- s
					}
				}()
				p.a.talk(5*time.Millisecond, 9*time.Second)
				select {
				case s := <-asked:
					if at := s.At.Sub(p.a.clock.Now()); at > -8900*time.Millisecond {
						t.Errorf("answered %v ago", -at)
					}
				default:
					t.Error("nobody was answered in 9 s")
				}
				if events, _ := p.b.e.Events(seq); len(events) != 0 {
					t.Errorf("the partner saw %+v", events)
				}
				if eth1.gap > 1100*time.Millisecond || eth2.gap > 1100*time.Millisecond {
					t.Errorf("between two LACPDUs there were %v and %v", eth1.gap, eth2.gap)
				}
				if p.a.carries() != busy || p.a.published().Select != before.Select {
					t.Error("the change did not wait")
				}
				if s, err := p.a.e.Spec(t.Context()); err != nil || s.Options["min_links"] != "" {
					t.Errorf("a change was made within another: %v %v", s, err)
				}
				p.a.talk(5*time.Millisecond, 2*time.Second)
				first()
				second()
				if s, err := p.a.e.Spec(t.Context()); err != nil || s.Options["min_links"] != "2" || s.Options["hash_map"] != p.a.spec.Options["hash_map"] || len(s.Ports) != len(p.a.spec.Ports) {
					t.Errorf("in the end %v %v", s, err)
				}
			})
		})
	}
}
