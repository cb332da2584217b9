package engine_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/agg"
)

// A kernel that takes seconds to answer delays no LACPDU.
func TestSlowAnswersDelayNoLACPDU(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fast := map[string]string{"lacp_rate": "fast"}
		p := newPair(t, lacpSpec(t, fast, "eth1", "eth2"), lacpSpec(t, fast, "eth1", "eth2"))
		var slow atomic.Int64
		var late atomic.Bool
		p.a.wait = func() {
			if late.Load() {
				slow.Add(1)
				time.Sleep(2500 * time.Millisecond)
			}
		}
		p.start()
		defer p.stop()
		p.a.quiet(5 * time.Second)
		var last agg.Instant
		var gap time.Duration
		count := 0
		p.a.world.Cable("eth1", func(f []byte) {
			now := p.a.clock.Now()
			if last != agg.Never {
				gap = max(gap, now.Sub(last))
			}
			last = now
			count++
			p.b.world.Arrive("eth1", f)
		})
		late.Store(true)
		p.a.quiet(20 * time.Second)
		late.Store(false)
		p.a.quiet(5 * time.Second)
		if slow.Load() < 3 || count < 20 || gap > 1100*time.Millisecond {
			t.Errorf("%d slow answers; %d LACPDUs, with %v between two", slow.Load(), count, gap)
		}
		if s := p.b.status(); s.Carrying != 2 {
			t.Errorf("the partner: %s", s.Summary)
		}
	})
}
