package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/agg"
)

// An option that names the port to be active makes it so each time that somebody sets it.
// The same spec without that moves nothing, and a refusal leaves it as spent as it was.
func TestSetAgainMakesActive(t *testing.T) {
	for _, option := range []string{"active_slave", "primary"} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, spec(t, map[string]string{option: "eth2", "primary_reselect": "failure", "drain_timeout": "0"}, "eth1", "eth2")).start()
			defer r.stop()
			r.quiet(time.Second)
			r.world.SetCarrier("eth2", false)
			r.quiet(time.Second)
			r.world.SetCarrier("eth2", true)
			r.quiet(10 * time.Second)
			update := func(again ...string) error {
				t.Helper()
				err := r.e.Update(t.Context(), r.spec, again...)
				r.quiet(10 * time.Second)
				return err
			}
			carries := func(want string) {
				t.Helper()
				if got := r.carries(); got != want {
					t.Errorf("%s=eth2: %q carries, want %s", option, got, want)
				}
			}
			carries("eth1")
			if err := update(); err != nil {
				t.Error(err)
			}
			carries("eth1")
			r.world.Refuse(func(op string) error {
				if op == "apply" {
					return &agg.Problem{Code: "no", Rule: "is refused", Remedy: "none"}
				}
				return nil
			})
			if err := update(option); err == nil {
				t.Error("what is refused was taken")
			}
			r.world.Refuse(func(string) error { return nil })
			r.quiet(time.Minute)
			carries("eth1")
			if err := update(option); err != nil {
				t.Error(err)
			}
			carries("eth2")
		})
	}
}
