package daemon

import (
	"testing"

	"github.com/yokelag/yoke/control"
)

// To set active_slave or primary to what it is already makes that port active again. A file
// that says the same as before does not.
func TestSetToTheSamePort(t *testing.T) {
	for _, option := range []string{"active_slave", "primary", "active_port"} {
		r := newRig(t, "eth1", "eth2")
		r.start()
		words := "primary_reselect: failure, " + option + ": eth2"
		apply := func() {
			t.Helper()
			if _, err := r.client.Apply(t.Context(), file("one.yaml", "aggregates:\n  bond0: {"+words+", ports: [eth1, eth2]}\n")); err != nil {
				t.Fatal(err)
			}
		}
		active := func(want string) {
			t.Helper()
			r.wait(want+" to be active", func() bool { return r.status("bond0").Active == want })
		}
		cable := func(in bool) {
			t.Helper()
			r.w.mem.SetCarrier("eth2", in)
			r.wait("that to be seen", func() bool { return works(r.status("bond0").Ports[1]) == in })
		}
		set := func(key, value string) {
			t.Helper()
			if _, err := r.client.Set(t.Context(), "bond0", control.SetRequest{Set: map[string]string{key: value}}); err != nil {
				t.Fatal(err)
			}
		}
		apply()
		active("eth2")
		cable(false)
		active("eth1")
		cable(true)
		apply()
		set("miimon", "20")
		active("eth1")
		set(option, "eth2")
		active("eth2")
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
	}
}
