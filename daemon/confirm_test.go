package daemon

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// confirming is a registry and what undoes changes of it, without a server.
func confirming(t *testing.T, r *rig) (*registry, *confirmation) {
	t.Helper()
	reg := newRegistry(r.w, r.o.StateDir, r.o.Log)
	c := newConfirmation(reg, func() {})
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
			err := c.around("up bond0", time.Hour, map[string]*agg.Spec{"bond0": nil}, func() error {
				go func() { decided <- decide(c) }()
				if c.deciding.TryLock() {
					t.Error("it can be decided while it is being made")
					c.deciding.Unlock()
				}
				refused(t, c.around("up bond1", time.Hour, nil, nil), "unconfirmed")
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
	err := c.around("up bond0", time.Hour, map[string]*agg.Spec{"bond0": nil}, func() error {
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
