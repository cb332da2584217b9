package engine_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Who was told that a change was made finds it made, also when the daemon is killed at once.
func TestChangeIsSavedBeforeItIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1", "eth2"))
		r.store.disk = 10 * time.Millisecond
		r.start()
		next := spec(t, map[string]string{"updelay": "300"}, "eth1", "eth2")
		if err := r.e.Update(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		r.store.mu.Lock()
		got := r.store.saved.Spec.Config().Ports[0].UpDelay
		r.store.mu.Unlock()
		if got != 300*time.Millisecond {
			t.Errorf("the saved state has updelay %v", got)
		}
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
}

// A full disk holds no answer back: the change is in force, and the status says what is wrong.
func TestChangeThatCannotBeSavedIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1", "eth2"))
		r.start()
		r.quiet(time.Second)
		r.store.mu.Lock()
		r.store.full = errors.New("no space left on device")
		r.store.mu.Unlock()
		if err := r.e.Update(t.Context(), spec(t, map[string]string{"updelay": "300"}, "eth1", "eth2")); err != nil {
			t.Fatal(err)
		}
		if s := r.status(); len(s.Findings) != 1 || s.Findings[0].Code != "not-saved" {
			t.Errorf("findings %+v", s.Findings)
		}
		if err := r.stop(); !errors.Is(err, r.store.full) {
			t.Errorf("the engine ended with %v", err)
		}
	})
}
