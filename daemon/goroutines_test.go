package daemon

import (
	"runtime"
	"testing"
)

// An aggregate that is taken apart leaves nothing running: what one of the two in each round
// left would be twice as much as the bound, and what the client's connections need is less.
func TestNoGoroutineIsLeft(t *testing.T) {
	const rounds = 20
	r := newRig(t, "eth1", "eth2", "eth3", "eth4")
	r.start()
	round := func() {
		t.Helper()
		r.mustUp("bond0", "eth1", "eth2")
		r.mustUp("bond1", "mode=802.3ad", "eth3", "eth4")
		for _, name := range []string{"bond0", "bond1"} {
			if _, err := r.client.Down(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
	}
	round()
	before := runtime.NumGoroutine()
	for range rounds {
		round()
	}
	r.wait("what was taken apart to end", func() bool { return runtime.NumGoroutine() < before+rounds/2 })
}
