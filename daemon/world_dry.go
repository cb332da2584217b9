package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/engine"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/plane/mem"
)

// dryWorld is a machine in memory: nothing of the real one is read or changed, so it
// needs no privilege. It is for trying commands, and for tests.
type dryWorld struct {
	mem       *mem.World
	bootID    string
	namespace uint64
}

func newDryWorld(names []string) (*dryWorld, error) {
	boot, err := bootclock.BootID()
	if err != nil {
		return nil, err
	}
	w := &dryWorld{mem: mem.NewWorld(bootclock.Clock{}), bootID: boot, namespace: control.OwnNamespace()}
	for _, name := range names {
		if err := agg.CheckName(name); err != nil {
			return nil, fmt.Errorf("--dry: %w", err)
		}
		w.mem.AddLink(name)
	}
	return w, nil
}

var _ world = (*dryWorld)(nil)

func (w *dryWorld) Namespace() uint64     { return w.namespace }
func (w *dryWorld) BootID() string        { return w.bootID }
func (w *dryWorld) Links() engine.Links   { return dryLinks{w.mem} }
func (w *dryWorld) Frames() engine.Frames { return w.mem }

// Interfaces implements world. Every interface of a dry run has driver "dry", its number
// in the path, and the address that it was made with.
func (w *dryWorld) Interfaces(bool) ([]agg.Identity, error) {
	var out []agg.Identity
	for _, l := range w.mem.Links() {
		out = append(out, agg.Identity{Name: l.Name, MAC: l.MAC, Driver: "dry", Path: fmt.Sprintf("dry-%d", l.Index),
			PermanentMAC: agg.MAC{2, 0, 0, 0, byte(l.Index >> 8), byte(l.Index)}})
	}
	return out, nil
}

// AnyLink implements world.
func (w *dryWorld) AnyLink() (wake <-chan struct{}, cancel func()) { return w.mem.WatchAny() }

// Slow implements world.
func (w *dryWorld) Slow() engine.Slow { return drySlow{w.mem} }

// KeepAlive implements world.
func (w *dryWorld) KeepAlive(string, agg.Spec) *keeper { return nil }

// drySlow makes the world in memory an engine.Slow.
type drySlow struct{ *mem.World }

// Listen implements engine.Slow.
func (s drySlow) Listen() engine.Ear { return s.NewEar() }

// Stations implements world.
func (w *dryWorld) Stations() engine.Stations { return w.mem }
func (w *dryWorld) Clock() engine.Clock       { return bootclock.Clock{} }
func (w *dryWorld) Close() error              { return nil }

// AutoPlane implements world.
func (w *dryWorld) AutoPlane(agg.Spec) (name, why string) { return "mem", "this is a dry run" }

// OpenPlane implements world: whatever plane is asked for, the one in memory stands in
// for it.
func (w *dryWorld) OpenPlane(_ context.Context, _ string, spec agg.Spec) (engine.Plane, error) {
	return mem.Open(w.mem, spec.Name), nil
}

// ReadPlane implements world.
func (w *dryWorld) ReadPlane(ctx context.Context, name string, spec agg.Spec) (engine.Plane, error) {
	return w.OpenPlane(ctx, name, spec)
}

// Rename implements world: nobody gives a device in memory another name.
func (w *dryWorld) Rename(_, from, to string) error {
	return fmt.Errorf("rename %s to %s: not in a dry run", from, to)
}

// CheckName implements world.
func (w *dryWorld) CheckName(name, _ string) error {
	if w.mem.Link(name).Present {
		return nameTaken(name, "an interface")
	}
	return nil
}

// Stands implements world.
func (w *dryWorld) Stands(name string) bool { return w.mem.Link(name).Present }

// Existing implements world: nobody else makes devices in memory.
func (w *dryWorld) Existing(string, string) (agg.Spec, bool, error) { return agg.Spec{}, false, nil }

// CheckPort implements world.
func (w *dryWorld) CheckPort(_, port string) error {
	if w.mem.Link(port).Present {
		return nil
	}
	return &agg.Problem{Code: "no-interface", Object: port, Rule: "there is no such interface in this dry run", Remedy: "name it: `yoked --dry " + port + ",...`"}
}

// TCPReordering implements world: the kernel's default.
func (w *dryWorld) TCPReordering(string) (int, error) { return 3, nil }

// dryLinks makes the world in memory an engine.Links.
type dryLinks struct{ *mem.World }

// Subscribe implements engine.Links.
func (l dryLinks) Subscribe(s engine.Subscription) (wake <-chan struct{}, cancel func()) {
	return l.Watch(s.Names)
}

// pathDryLink changes an interface of a dry run: {"carrier": false} pulls its cable.
const pathDryLink = "PUT /v1/dry/links/{link}"

// setLink pulls a cable of the dry run, or puts it back.
func (w *dryWorld) setLink(rw http.ResponseWriter, r *http.Request) {
	var change struct {
		Carrier bool `json:"carrier"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, maxBody)).Decode(&change); err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	w.mem.SetCarrier(r.PathValue("link"), change.Carrier)
	rw.WriteHeader(http.StatusNoContent)
}

func nameTaken(name, by string) *agg.Problem {
	return &agg.Problem{Code: "duplicate-name", Object: name, Rule: "there is " + by + " of this name already",
		Remedy: "choose another name for the aggregate than those of `ip link`"}
}
