package bonding

import (
	"context"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
)

// A port that the spec asked for, and that is not active any more, becomes so when the option
// is set again, and not before. What does not work is refused, and nothing is left to do.
func TestSetAgain(t *testing.T) {
	s := newSite(t)
	index := s.bond("mode", "active-backup", "miimon", "10", "primary_reselect", "failure")
	for _, port := range []string{"p0", "p1"} {
		s.must(s.driver.SetMaster(s.index(port), index))
	}
	s.host.SetUp("bond0")
	link := func(port, state string) {
		t.Helper()
		nstest.Eventually(t, 20*time.Second, func() bool { p, ok := s.read(index).Port(port); return ok && p.Link == state }, port+" to be "+state)
	}
	link("p0", "up")
	link("p1", "up")
	var p *Plane
	s.must(s.host.Run(func() (err error) {
		p, err = Open(t.Context(), Options{Name: "bond0", StateDir: t.TempDir(), Miimon: 10})
		return err
	}))
	have := s.read(index)
	plan := agg.Plan{
		Mode: agg.ActiveBackup, Select: agg.SelectFixed, Multicast: agg.NoPort, Carrier: true, MAC: have.MAC, MTU: have.MTU, Table: []agg.Choice{{First: 0, Second: 1}},
		Ports: []agg.PlanPort{{Name: "p0", Index: s.index("p0"), Transmit: true, Receive: true}, {Name: "p1", Index: s.index("p1"), Order: 1}},
	}
	apply := func(option string, again ...string) error {
		return s.host.Run(func() error {
			plan.Generation++
			spec := agg.Spec{Name: "bond0", Options: agg.Settings{"mode": "active-backup", "miimon": "10ms", "primary_reselect": "failure", option: "p1"},
				Ports: []agg.PortSpec{{Name: "p0"}, {Name: "p1"}}}
			if err := p.Configure(spec, again); err != nil {
				return err
			}
			return p.Apply(context.WithoutCancel(t.Context()), plan)
		})
	}
	active := func(option, why, want string) {
		t.Helper()
		if got := s.read(index).Options["active_slave"]; got != itoa(s.index(want)) {
			t.Errorf("%s, %s: active is %s, want %s", option, why, got, want)
		}
	}
	for _, option := range []string{"primary", "active_slave"} {
		s.must(apply(option))
		active(option, "asked for", "p1")
		s.must(s.driver.Change(index, Values{"active_slave": itoa(s.index("p0"))}))
		s.must(apply(option))
		active(option, "the same", "p0")
		s.must(apply(option, option))
		active(option, "set again", "p1")
	}
	s.far.SetDown("q1")
	link("p1", "down")
	if err := apply("active_slave", "active_slave"); err == nil {
		t.Error("a port without a link was taken")
	}
	s.must(apply("active_slave")) // as it is put back then
	active("active_slave", "refused", "p0")
	s.must(s.host.Run(func() error { return p.Destroy(context.WithoutCancel(t.Context())) }))
}
