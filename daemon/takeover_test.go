package daemon

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
	"github.com/yokelag/yoke/plane/mem"
)

// stubborn is a dry world whose planes fail where the test wants it.
type stubborn struct {
	*dryWorld
	open, destroy, rename func() error
}

func fails(f func() error) error {
	if f == nil {
		return nil
	}
	return f()
}

// OpenPlane implements world.
func (w *stubborn) OpenPlane(ctx context.Context, name string, spec agg.Spec) (engine.Plane, error) {
	if err := fails(w.open); err != nil {
		return nil, err
	}
	p, err := w.dryWorld.OpenPlane(ctx, name, spec)
	return &stubbornPlane{p, w}, err
}

// Rename implements world: what has the old name goes, and the engine makes it anew.
func (w *stubborn) Rename(_, from, _ string) error {
	if err := fails(w.rename); err != nil {
		return err
	}
	return mem.Open(w.mem, from).Destroy(context.Background())
}

type stubbornPlane struct {
	engine.Plane
	world *stubborn
}

// Destroy implements engine.Plane.
func (p *stubbornPlane) Destroy(ctx context.Context) error {
	if err := fails(p.world.destroy); err != nil {
		return err
	}
	return p.Plane.Destroy(ctx)
}

// newStubborn is a registry of such a world, and one aggregate in it.
func newStubborn(t *testing.T, ports ...string) (*registry, *stubborn) {
	t.Helper()
	rig := newRig(t, ports...)
	w := &stubborn{dryWorld: rig.w}
	r := newRegistry(w, rig.o.StateDir, rig.o.Log)
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
	spec := agg.Spec{Name: "bond0"}
	for _, p := range ports {
		spec.Ports = append(spec.Ports, agg.PortSpec{Name: p})
	}
	if err := r.up(t.Context(), spec, origin{}); err != nil {
		t.Fatal(err)
	}
	return r, w
}

// again is the registry of the next daemon in the same world.
func again(t *testing.T, r *registry) *registry {
	t.Helper()
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	next := newRegistry(r.world, r.dir, r.log)
	t.Cleanup(func() {
		if err := next.stop(); err != nil {
			t.Error(err)
		}
	})
	states, _, err := readStates(r.dir, r.world.BootID())
	if err != nil {
		t.Fatal(err)
	}
	if err := next.begin(t.Context(), next.finishRenames(states), nil, false); err != nil {
		t.Fatal(err)
	}
	next.endTakeOvers(t.Context())
	return next
}

// What an aggregate took over is its own as long as its state is there: ports that are
// still its own must not get it back because nobody could adopt it.
func TestFailedAdoptionKeepsWhatWasTakenOver(t *testing.T) {
	r, w := newStubborn(t, "eth1", "eth2")
	for _, done := range []bool{true, false} {
		err := r.saveTakeOver("bond0", takeOver{Version: takeOverVersion, BootID: w.BootID(), Namespace: w.Namespace(), Done: done})
		if err != nil {
			t.Fatal(err)
		}
		w.open = func() error { return errors.New("no") }
		r = again(t, r)
		if _, err := os.Stat(r.takeOverPath("bond0")); err != nil {
			t.Fatalf("done %v: %v", done, err)
		}
	}
}

// Without state there is no aggregate, and the ports get back what they had.
func TestTakeOverWithoutStateIsUndone(t *testing.T) {
	r, w := newStubborn(t, "eth1")
	for _, boot := range []string{w.BootID(), "another boot"} { // also where the state is of another boot
		err := r.saveTakeOver("bond1", takeOver{Version: takeOverVersion, BootID: w.BootID(), Namespace: w.Namespace(), Done: true})
		if err != nil {
			t.Fatal(err)
		}
		if boot != w.BootID() {
			saved := engine.Saved{Version: engine.SavedVersion, Spec: agg.Spec{Name: "bond1"}, Plane: "mem"}
			if err := newStore(r.dir, "bond1", boot, w.Namespace()).Save(saved); err != nil {
				t.Fatal(err)
			}
		}
		r.endTakeOvers(t.Context())
		if left, _ := filepath.Glob(r.takeOverPath("bond1")); len(left) != 0 {
			t.Errorf("state of %s: left behind: %v", boot, left)
		}
	}
}
