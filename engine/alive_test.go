package engine_test

import (
	"testing"
	"testing/synctest"
	"time"
)

// A daemon that proves that it is alive does not look at links or planes for it.
func TestAliveLooksAtNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1", "eth2"))
		looks := 0
		r.wait = func() { looks++ }
		r.start()
		r.quiet(time.Second)
		before := looks
		for range 100 {
			if err := r.e.Alive(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if looks != before {
			t.Errorf("it looked %d times", looks-before)
		}
		r.world.SetCarrier("eth1", false)
		r.quiet(time.Second)
		if got := r.carries(); got != "eth2" {
			t.Errorf("%q carries after that", got)
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		if err := r.e.Alive(t.Context()); err == nil {
			t.Error("an engine that has ended is alive")
		}
	})
}
