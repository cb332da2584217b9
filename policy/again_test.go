package policy

import (
	"testing"

	"github.com/yokelag/yoke/agg"
)

// A port that active_slave or primary makes active fails and comes back: it stays a backup
// until the option is set again. One that does not work then has to wait.
func TestSetAgain(t *testing.T) {
	for _, option := range []string{"active_slave", "primary"} {
		w := world{spec: agg.Spec{Name: "bond0"}, links: map[string]*PortInput{}, moves: Overlay{}}
		active := func(words ...string) string {
			t.Helper()
			if len(words) > 0 {
				w.do(t, words)
			}
			w.show()
			return w.state.Active
		}
		active("set", "mode=active-backup", "primary_reselect=failure")
		active("port", "eth0")
		active("port", "eth1")
		for _, step := range []struct {
			why   string
			words []string
			again []string
			want  string
		}{
			{"asked for", []string{"set", option + "=eth1"}, nil, "eth1"},
			{"fails", []string{"down", "eth1"}, nil, "eth0"},
			{"is back", []string{"up", "eth1"}, nil, "eth0"},
			{"the same, unsaid", nil, nil, "eth0"},
			{"another is set again", nil, []string{"miimon"}, "eth0"},
			{"set again", nil, []string{option}, "eth1"},
			{"no more than once", []string{"down", "eth1"}, nil, "eth0"},
			{"set again while it is down", nil, []string{option}, "eth0"},
			{"and back then", []string{"up", "eth1"}, nil, "eth1"},
		} {
			w.state = w.state.Again(step.again)
			if got := active(step.words...); got != step.want {
				t.Errorf("%s, %s: %s is active, want %s", option, step.why, got, step.want)
			}
		}
	}
}
