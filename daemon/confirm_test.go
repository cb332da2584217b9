package daemon

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// confirming is a registry and what undoes changes of it, without a server.
func confirming(t *testing.T, r *rig) (*registry, *confirmation) {
	t.Helper()
	reg := newRegistry(r.w, r.o.StateDir, r.o.Log)
	c := newConfirmation(reg, func(map[string]*agg.Spec) {}, func() {})
	t.Cleanup(func() {
		c.stop()
		if err := reg.stop(); err != nil {
			t.Error(err)
		}
	})
	return reg, c
}

func aSpec(t *testing.T, name string, args ...string) agg.Spec {
	t.Helper()
	spec, err := agg.ParseArgs(name, args)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// Who keeps or undoes a change that is still being made waits until it is made.
func TestADecisionWaitsForTheChange(t *testing.T) {
	for name, decide := range map[string]func(*confirmation) error{
		"confirm": func(c *confirmation) error { _, err := c.confirm(context.Background()); return err },
		"undo":    func(c *confirmation) error { _, err := c.undo(context.Background()); return err },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, "eth1")
			reg, c := confirming(t, r)
			decided := make(chan error, 1)
			err := c.around("up bond0", time.Hour, past{Before: map[string]*agg.Spec{"bond0": nil}}, func() error {
				go func() { decided <- decide(c) }()
				if c.deciding.TryLock() {
					t.Error("it can be decided while it is being made")
					c.deciding.Unlock()
				}
				refused(t, c.around("up bond1", time.Hour, past{}, nil), "unconfirmed")
				return reg.up(t.Context(), aSpec(t, "bond0", "eth1"), origin{})
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := <-decided; err != nil {
				t.Fatal(err)
			}
			if _, err := reg.get("bond0"); (err == nil) != (name == "confirm") || c.pending().Waiting {
				t.Errorf("bond0: %v, waiting: %v", err, c.pending().Waiting)
			}
			if _, err := os.Stat(c.path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("what was decided is still to be undone: %v", err)
			}
		})
	}
}

// Who went away before the change was made decides nothing.
func TestADecisionOfNobody(t *testing.T) {
	r := newRig(t, "eth1")
	reg, c := confirming(t, r)
	err := c.around("up bond0", time.Hour, past{Before: map[string]*agg.Spec{"bond0": nil}}, func() error {
		return reg.up(t.Context(), aSpec(t, "bond0", "eth1"), origin{})
	})
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.confirm(gone); !errors.Is(err, context.Canceled) || !c.pending().Waiting {
		t.Errorf("got %v, %+v", err, c.pending())
	}
	if _, err := c.undo(gone); !errors.Is(err, context.Canceled) || !c.pending().Waiting {
		t.Errorf("got %v, %+v", err, c.pending())
	}
	if _, err := c.confirm(t.Context()); err != nil {
		t.Error(err)
	}
	_, err = c.confirm(t.Context())
	refused(t, err, control.CodeNotFound)
}

// fewer takes eth2 away from bond0.
func fewer(t *testing.T, reg *registry) []change {
	t.Helper()
	now, err := reg.specs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	changes, _ := compare(now, wanted{specs: []agg.Spec{aSpec(t, "bond0", "eth1")}})
	return changes
}

func before(changes []change) map[string]*agg.Spec {
	out := map[string]*agg.Spec{}
	for _, c := range changes {
		out[c.Aggregate] = c.before
	}
	return out
}

// breakable has the plane refuse every plan while it is set.
func breakable(r *rig) *atomic.Bool {
	var on atomic.Bool
	r.w.mem.Refuse(func(op string) error {
		if op == "apply" && on.Load() {
			return errors.New("the plane is broken")
		}
		return nil
	})
	return &on
}

// A change that failed is guarded as long as it is not taken back.
func TestAFailedChangeIsGuardedUntilItIsTakenBack(t *testing.T) {
	r := newRig(t, "eth1", "eth2")
	reg, c := confirming(t, r)
	c.pause = func(int) time.Duration { return time.Hour }
	if err := reg.up(t.Context(), aSpec(t, "bond0", "eth1", "eth2"), origin{}); err != nil {
		t.Fatal(err)
	}
	changes, broken := fewer(t, reg), breakable(r)
	no := &agg.Problem{Code: "no", Rule: "the plane refuses", Remedy: "none"}
	err := c.around("apply of bond0", time.Hour, past{Before: before(changes)}, func() error {
		if err := reg.make(t.Context(), changes); err != nil {
			t.Error(err)
		}
		broken.Store(true)
		return no
	})
	refused(t, err, "no", "the plane refuses")
	refused(t, err, "not-taken-back", "yoke confirm --undo")
	if p := c.pending(); !p.Waiting || p.Failed == "" || p.LeftMS > time.Hour.Milliseconds() {
		t.Errorf("waiting is %+v", p)
	}
	if f := unconfirmedFinding(c.pending()); f.Code != "not-undone" || !strings.Contains(f.Text, "apply of bond0 could not be undone: ") {
		t.Errorf("status says %+v", f)
	}
	if _, err := c.undo(t.Context()); err == nil || !strings.Contains(c.pending().Failed, "the plane is broken") {
		t.Errorf("got %v, %+v", err, c.pending())
	}
	broken.Store(false)
	if _, err := c.undo(t.Context()); err != nil || c.pending().Waiting {
		t.Errorf("got %v, %+v", err, c.pending())
	}
	if !reg.areAsBefore(t.Context(), before(changes)) {
		t.Error("it is not what it was")
	}
	err = c.around("apply of bond0", time.Hour, past{Before: before(changes)}, func() error { return no })
	if !errors.Is(err, no) || control.HasCode(err, "not-taken-back") || c.pending().Waiting {
		t.Errorf("what changed nothing: got %v, %+v", err, c.pending())
	}
}

// Changes that fail half way say so where they cannot be taken back.
func TestHalfOfAChangeIsTold(t *testing.T) {
	r := newRig(t, "eth1", "eth2", "eth3")
	reg, c := confirming(t, r)
	c.pause = func(int) time.Duration { return time.Hour }
	if err := reg.up(t.Context(), aSpec(t, "bond0", "eth1", "eth2"), origin{}); err != nil {
		t.Fatal(err)
	}
	bond1 := aSpec(t, "bond1", "eth3")
	create, _ := difference("", nil, &bond1)
	changes := append(fewer(t, reg), create)
	applies := 0
	r.w.mem.Refuse(func(op string) error {
		if op != "apply" {
			return nil
		}
		if applies++; applies == 1 {
			return nil
		}
		return &agg.Problem{Code: "no", Rule: "the plane refuses", Remedy: "none"}
	})
	err := c.around("apply of both", time.Hour, past{Before: before(changes)}, func() error { return reg.make(t.Context(), changes) })
	for _, code := range []string{"no", control.CodeInternal, "not-taken-back"} {
		if !control.HasCode(err, code) {
			t.Errorf("%v has no %s", err, code)
		}
	}
	if !strings.Contains(control.ProblemsOf(err).Error(), "take the changes back: ") || !c.pending().Waiting {
		t.Errorf("got %v, %+v", err, c.pending())
	}
}

// An undo that fails when the time is over is tried until it succeeds.
func TestAnUndoIsTriedUntilItSucceeds(t *testing.T) {
	r := newRig(t, "eth1", "eth2")
	reg, c := confirming(t, r)
	if err := reg.up(t.Context(), aSpec(t, "bond0", "eth1", "eth2"), origin{}); err != nil {
		t.Fatal(err)
	}
	changes, broken := fewer(t, reg), breakable(r)
	var tries []int
	var told []string
	c.pause = func(n int) time.Duration { // it has mu
		tries = append(tries, n)
		told = append(told, c.now.Failed)
		broken.Store(n < 3)
		return time.Millisecond
	}
	err := c.around("apply of bond0", time.Millisecond, past{Before: before(changes)}, func() error {
		err := reg.make(t.Context(), changes)
		broken.Store(true)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r.wait("it to be undone", func() bool { return !c.pending().Waiting })
	if !slices.Equal(tries, []int{1, 2, 3}) || told[0] != "" || !strings.Contains(told[1], "the plane is broken") {
		t.Errorf("tries %v, told %q", tries, told)
	}
	if !reg.areAsBefore(t.Context(), before(changes)) {
		t.Error("it is not what it was")
	}
	if _, err := os.Stat(c.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is to be undone again: %v", err)
	}
}

func TestUndoPause(t *testing.T) {
	for tries, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 6: 32 * time.Second, 7: time.Minute, 1000: time.Minute} {
		if got := undoPause(tries); got != want {
			t.Errorf("after %d tries: %v, want %v", tries, got, want)
		}
	}
}

// What is removed comes back with its address and as the file's, also by the next daemon
// and where only the way back from a failure leads through its removal.
func TestARemovedAggregateComesBackAsItWas(t *testing.T) {
	r := newRig(t, "eth1", "eth2")
	reg, c := confirming(t, r)
	spec := aSpec(t, "bond0", "eth1", "eth2")
	mac := agg.MAC{2, 0, 0, 0, 0x77, 1}
	if err := reg.up(t.Context(), spec, origin{file: &spec, mac: mac}); err != nil {
		t.Fatal(err)
	}
	remove, _ := difference("", &spec, nil)
	asItWas := func(reg *registry, when string) {
		t.Helper()
		a, err := reg.get("bond0")
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		s, err := a.engine.Status(t.Context())
		if err != nil || s.Device.MAC != mac || !a.store.unedited(spec) {
			t.Errorf("%s it has %v and is of %v, %v", when, s.Device.MAC, a.store.said(), err)
		}
	}
	makeIt := func() error {
		changes := []change{remove}
		return c.around("apply of bond0", time.Hour, reg.pastOf(t.Context(), changes), func() error { return reg.make(t.Context(), changes) })
	}
	if err := makeIt(); err != nil {
		t.Fatal(err)
	}
	if _, err := reg.get("bond0"); err == nil {
		t.Fatal("it was not removed")
	}
	if _, err := c.undo(t.Context()); err != nil {
		t.Fatal(err)
	}
	asItWas(reg, "undone")

	other := aSpec(t, "bond1", "eth1")
	create, _ := difference("", nil, &other)
	broken := &agg.Problem{Code: "no", Rule: "the plane refuses", Remedy: "none"}
	applies := 0
	r.w.mem.Refuse(func(op string) error {
		if op == "apply" {
			if applies++; applies == 1 {
				return broken
			}
		}
		return nil
	})
	if err := reg.make(t.Context(), []change{remove, create}); err == nil {
		t.Fatal("it was made")
	}
	r.w.mem.Refuse(func(string) error { return nil })
	asItWas(reg, "taken back")

	if err := makeIt(); err != nil {
		t.Fatal(err)
	}
	c.stop()
	_, next := confirming(t, r)
	if err := next.resume(); err != nil {
		t.Fatal(err)
	}
	if _, err := next.undo(t.Context()); err != nil {
		t.Fatal(err)
	}
	asItWas(next.registry, "undone by the next daemon")
}
