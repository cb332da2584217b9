package engine_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
	"github.com/yokelag/yoke/plane/mem"
)

// runner is a plane whose driver runs the mode by itself.
type runner struct {
	*mem.Plane
	mu       sync.Mutex
	facts    agg.DriverFacts
	told     []agg.Spec
	again    [][]string // with each of told
	refusing string     // an option that it refuses
}

func (r *runner) Capability() agg.Capability {
	c := r.Plane.Capability()
	c.RunsModes = true
	return c
}

func (r *runner) Configure(spec agg.Spec, again []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := spec.Options[r.refusing]; ok {
		return &agg.Problem{Code: "not-supported", Object: spec.Name, Option: r.refusing, Rule: "the driver has it not", Remedy: "leave it out"}
	}
	r.told, r.again = append(r.told, spec), append(r.again, again)
	return nil
}

func (r *runner) Driver(context.Context) (agg.DriverFacts, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.facts, nil
}

// makes has the driver make a port the active one of two.
func (r *runner) makes(active string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.facts = agg.DriverFacts{Carrier: true, Active: active}
	for _, name := range []string{"eth1", "eth2"} {
		p := agg.DriverPort{Name: name, Link: agg.DriverDown, Reason: "link-down", Detail: "down"}
		if name == active {
			p = agg.DriverPort{Name: name, Link: agg.DriverUp, Sends: true, Receives: true, Reason: "active", Detail: "active"}
		}
		r.facts.Ports = append(r.facts.Ports, p)
	}
}

// A driver is told the spec, and again when it changes; what it makes of the ports is the
// plan and the status, nothing is announced for it, and what it refuses is taken back.
func TestDriverRunsTheMode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, map[string]string{"updelay": "0"}, "eth1", "eth2"))
		d := &runner{Plane: mem.Open(r.world, "bond0"), refusing: "all_slaves_active"}
		d.makes("eth2")
		r.plane = d.Plane
		e, err := engine.New(r.spec, engine.World{Plane: d, Links: links{r.world, r.wait}, Frames: r.world, Slow: slow{r.world},
			Stations: r.world, Clock: r.clock, Store: r.store}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- e.Run(ctx) }()
		r.e = e
		defer func() { cancel(); <-done }()
		if err := e.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := r.status(); s.Active != "eth2" || s.Carrying != 1 || s.Ports[0].Reason != "driver-down" || !s.Ports[1].Carrying {
			t.Errorf("%+v", s)
		}
		d.makes("eth1")
		r.quiet(10 * time.Second)
		if s := r.status(); s.Active != "eth1" || !s.Ports[0].Carrying || s.Ports[1].Carrying || s.Ports[1].Failures != 1 {
			t.Errorf("%+v", s)
		}
		r.quiet(10 * time.Second)
		if sent := r.world.TakeSent(); len(sent) != 0 {
			t.Errorf("announced: %+v", sent)
		}
		if len(d.told) == 0 || len(d.told) > 2 {
			t.Errorf("told %d times", len(d.told))
		}
		next := r.spec.Clone()
		next.Options["num_grat_arp"] = "3"
		if err := e.Update(t.Context(), next); err != nil || d.told[len(d.told)-1].Options["num_grat_arp"] != "3" {
			t.Errorf("told %+v; %v", d.told, err)
		}
		// What is set to what it was is told where somebody has set it, and not again by itself.
		before := len(d.told)
		if err := errors.Join(e.Update(t.Context(), next), e.Update(t.Context(), next, "primary")); err != nil {
			t.Error(err)
		}
		r.quiet(10 * time.Second)
		if again := d.again[before:]; len(again) != 1 || !slices.Equal(again[0], []string{"primary"}) {
			t.Errorf("told again: %v", again)
		}
		bad := next.Clone()
		bad.Options["all_slaves_active"] = "on"
		if err := e.Update(t.Context(), bad); err == nil {
			t.Error("what the driver refuses was taken")
		}
		if now, _ := e.Spec(t.Context()); now.Options["all_slaves_active"] != "" {
			t.Errorf("now wanted: %+v", now)
		}
	})
}
