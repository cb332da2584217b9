package daemon

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
)

// foundWorld has a bond already.
type foundWorld struct {
	world
	spec agg.Spec
}

func (w foundWorld) Existing(name, plane string) (agg.Spec, bool, error) {
	return w.spec, name == w.spec.Name && plane == "bonding", nil
}

// What a bond has that is there already is kept, unless something else is asked for.
func TestAsFound(t *testing.T) {
	found, err := agg.ParseArgs("bond0", []string{"mode=802.3ad", "miimon=100", "lacp_rate=fast", "p0", "p1,queue_id=4"})
	if err != nil {
		t.Fatal(err)
	}
	r := newRegistry(foundWorld{spec: found}, t.TempDir(), slog.New(slog.NewTextHandler(io.Discard, nil)))
	for words, want := range map[string]string{
		"plane=bonding": "lacp_rate=fast miimon=100ms mode=802.3ad plane=bonding p0 p1,queue_id=4",
		"plane=bonding miimon=50 p1,actor_port_prio=9 p0 p2": "lacp_rate=fast miimon=50ms mode=802.3ad plane=bonding p0 p1,actor_port_prio=9,queue_id=4 p2",
		"plane=bonding mode=802.3ad p0 p1":                   "lacp_rate=fast miimon=100ms mode=802.3ad plane=bonding p0 p1,queue_id=4",
		"plane=ebpf p0":                                      "plane=ebpf p0",
		"plane=bonding mode=balance-rr":                      "other-mode",
		"plane=bonding p0":                                   "port-not-named",
	} {
		spec, err := agg.ParseArgs("bond0", strings.Fields(words))
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.asFound(spec)
		if problems, ok := errors.AsType[agg.Problems](err); ok {
			if len(problems) != 1 || problems[0].Code != want || problems[0].Remedy == "" {
				t.Errorf("%s: %v, want %s", words, err, want)
			}
			continue
		}
		if text := strings.Join(got.Args(), " "); err != nil || text != want {
			t.Errorf("%s becomes %s, want %s; %v", words, text, want, err)
		}
	}
}

// refusing is a plane whose kernel refuses every plan.
type refusing struct {
	engine.Plane
	destroyed *bool
}

func (p refusing) Apply(context.Context, agg.Plan) error { return errors.New("refused") }

func (p refusing) Destroy(ctx context.Context) error {
	*p.destroyed = true
	return p.Plane.Destroy(ctx)
}

// refusingWorld has an interface of every name, or of none.
type refusingWorld struct {
	world
	stands    bool
	destroyed *bool
}

func (w refusingWorld) Stands(string) bool { return w.stands }

func (w refusingWorld) OpenPlane(ctx context.Context, name string, spec agg.Spec) (engine.Plane, error) {
	p, err := w.world.OpenPlane(ctx, name, spec)
	return refusing{p, w.destroyed}, err
}

// What cannot be taken in charge is left, and what could not be made is removed.
func TestUpThatFailsLeavesAnothersDevice(t *testing.T) {
	for _, stands := range []bool{true, false} {
		dry, err := newDryWorld([]string{"p0"})
		if err != nil {
			t.Fatal(err)
		}
		destroyed := false
		r := newRegistry(refusingWorld{dry, stands, &destroyed}, t.TempDir(), slog.New(slog.NewTextHandler(io.Discard, nil)))
		spec, err := agg.ParseArgs("bond0", []string{"p0"})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.up(t.Context(), spec, origin{}); err == nil {
			t.Fatal("no error")
		}
		if destroyed == stands {
			t.Errorf("with a device of that name: %v; destroyed: %v", stands, destroyed)
		}
		if r.count() != 0 {
			t.Error("the aggregate is there")
		}
	}
}
