package ebpf

import (
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
)

func TestTrafficBothWays(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.ready()
		out := r.stream(time.Millisecond)
		in := nstest.StartUDP(r, r.far, r.near, there, here, time.Millisecond)
		out.WaitReceived(200)
		in.WaitReceived(200)
		if o, i := out.Stop(), in.Stop(); o.Lost+i.Lost != 0 {
			t.Errorf("lost %d out of %d sent and %d of %d received", o.Lost, o.Sent, i.Lost, i.Sent)
		}
	})
}

func TestFailoverByPlanLosesNothing(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.ready()
		s := r.stream(time.Millisecond)
		for i := range 10 {
			s.WaitReceived(20)
			r.apply(r.plan(1 - i%2))
		}
		s.WaitReceived(20)
		if got := s.Stop(); got.Lost != 0 {
			t.Errorf("lost %d of %d", got.Lost, got.Sent)
		}
	})
}

// lossless fails the test where streams lost more than the kernel's backlog queues dropped
// meanwhile, on the whole machine: a sender that was held up sends what it is behind with
// at once, and those queues hold 1,000 frames.
func (r *rig) lossless(results ...nstest.Result) {
	r.Helper()
	now, err := backlogDrops()
	if err != nil {
		r.Fatal(err)
	}
	var lost uint64
	for _, result := range results {
		lost += result.Lost
	}
	if dropped := now - r.backlog; lost > dropped {
		r.Errorf("lost %d, and the backlog queues dropped %d: %+v", lost, dropped, results)
	}
}
