package teamtest_test

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/team"
	"github.com/yokelag/yoke/team/teamtest"
)

// next returns the changes that a watcher reports, as a map of what it knows then.
func next(t *testing.T, w *team.Watcher) map[team.Key]team.Option {
	t.Helper()
	c, err := w.Next()
	if err != nil {
		t.Fatal(err)
	}
	out := map[team.Key]team.Option{}
	for _, o := range c.Options {
		out[o.Key] = o
	}
	return out
}

func TestRulesOfTheDriver(t *testing.T) {
	d := teamtest.New()
	dev := d.Create("team0")
	p, q := d.NewPort(), d.NewPort()
	steps := []struct {
		what string
		do   func() error
		want error
	}{
		{"an unknown mode", func() error { return dev.SetMode("lacp") }, unix.EINVAL},
		{"a mode", func() error { return dev.SetMode(team.ModeLoadBalance) }, nil},
		{"a port", func() error { return dev.AddPort(p) }, nil},
		{"a port twice", func() error { return dev.AddPort(p) }, unix.EBUSY},
		{"a mode over ports", func() error { return dev.SetMode(team.ModeRandom) }, unix.EBUSY},
		{"a mapping", func() error { return dev.SetHashToPort(5, p) }, nil},
		{"a mapping to no port", func() error { return dev.SetHashToPort(5, q) }, unix.ENODEV},
		{"an option of another mode", func() error { return dev.SetActivePort(p) }, unix.ENOENT},
		{"a long text", func() error { return dev.SetTxMethod("123456789012345678901234567890123") }, nil},
	}
	for _, s := range steps[:len(steps)-1] {
		if err := s.do(); !errors.Is(err, s.want) {
			t.Errorf("%s: %v, want %v", s.what, err, s.want)
		}
	}
	if err := steps[len(steps)-1].do(); err == nil {
		t.Error("a long text was taken")
	}
	if err := dev.SetEnabled(p, false); err != nil {
		t.Fatal(err)
	}
	if m, err := dev.HashToPort(); err != nil || m[5] != 0 {
		t.Errorf("hash 5 goes to %d of a disabled port, %v", m[5], err)
	}
}

func TestTwoWatchersSeeTheSame(t *testing.T) {
	d := teamtest.New()
	dev := d.Create("team0")
	var watchers []*team.Watcher
	for range 2 {
		w, err := dev.Watch()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		next(t, w)
		watchers = append(watchers, w)
	}
	if err := dev.SetNotifyPeers(team.Burst{Count: 3, Period: 100}); err != nil {
		t.Fatal(err)
	}
	count := team.Key{Name: team.OptNotifyPeersCount}
	for i, w := range watchers {
		if got := next(t, w); got[count].Value != team.U32Value(3) {
			t.Errorf("watcher %d saw %v", i, got)
		}
	}
}

func TestLostEventsAreReadAgain(t *testing.T) {
	d := teamtest.New()
	dev := d.Create("team0")
	if err := dev.SetMode(team.ModeActiveBackup); err != nil {
		t.Fatal(err)
	}
	p := d.NewPort()
	if err := dev.AddPort(p); err != nil {
		t.Fatal(err)
	}
	w, err := dev.Watch()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	next(t, w)
	if err := errors.Join(dev.SetActivePort(p), dev.RemovePort(p)); err != nil {
		t.Fatal(err)
	}
	d.Lose()
	got := next(t, w)
	if o, ok := got[team.On(team.OptEnabled, p)]; !ok || !o.Removed {
		t.Errorf("the removed port's options are not reported: %v", got)
	}
	if _, ok := got[team.Key{Name: team.OptActivePort}]; ok {
		t.Error("activeport is reported, although it is what it was")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Next(); !errors.Is(err, team.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
