package vethtest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/plane/planetest"
	"github.com/yokelag/yoke/plane/planetest/vethtest"
	"github.com/yokelag/yoke/plane/user"
	"github.com/yokelag/yoke/policy"
)

func openers() map[string]vethtest.Opener {
	return map[string]vethtest.Opener{
		"user": func(ctx context.Context, s vethtest.Setup) (planetest.Plane, error) {
			return user.Open(ctx, user.Options{Name: s.Name, StateDir: s.StateDir})
		},
	}
}

// TestPlanesChooseAsTheReference sends generated frames through each plane and compares
// the port with policy.Hash and agg.Plan.Entry. The same seed is used for each, so the
// planes agree with each other too.
func TestPlanesChooseAsTheReference(t *testing.T) {
	count := 25_000
	if testing.Short() {
		count = 1000
	}
	for name, open := range openers() {
		t.Run(name, func(t *testing.T) { chooseAsReference(t, open, count) })
	}
}

func chooseAsReference(t *testing.T, open vethtest.Opener, count int) {
	ports := []string{"p0", "p1", "p2"}
	h := vethtest.World(open).New(t, ports)
	plane := h.Open(t)
	random := rand.New(rand.NewPCG(2, 8023))
	plan := agg.Plan{
		Mode: agg.BalanceXOR, Carrier: true, MAC: agg.MAC{2, 0, 0, 0, 0, 1}, MTU: 1500, Multicast: agg.NoPort,
	}
	for i, port := range ports {
		plan.Ports = append(plan.Ports, agg.PlanPort{
			Name: port, Index: h.Link(t, port).Index, Transmit: true, Receive: true, Order: i,
		})
	}
	for _, hash := range []agg.HashPolicy{agg.HashLayer2, agg.HashLayer34} {
		for _, how := range []agg.Selector{agg.SelectBuckets, agg.SelectModulo} {
			plan.Generation++
			plan.Hash, plan.Select, plan.Table = hash, how, table(how, len(ports))
			if err := plane.Apply(t.Context(), plan); err != nil {
				t.Fatal(err)
			}
			compare(t, h, plan, random, count)
		}
	}
}

func table(how agg.Selector, ports int) (out []agg.Choice) {
	entries := ports
	if how == agg.SelectBuckets {
		entries = agg.NumBuckets
	}
	for i := range entries {
		out = append(out, agg.Choice{First: i % ports, Second: agg.NoPort})
	}
	return out
}

func compare(t *testing.T, h planetest.Harness, plan agg.Plan, random *rand.Rand, count int) {
	t.Helper()
	frames := make([][]byte, count)
	for i := range frames {
		frames[i] = anyFrame(random, uint32(i))
	}
	for i, got := range h.Send(t, frames) {
		hash := policy.Hash(plan.Hash, frames[i], policy.Tag{})
		want := []string{plan.Ports[plan.Table[plan.Entry(hash)].First].Name}
		if !slices.Equal(got, want) {
			t.Errorf("%v, %v: frame %d left by %v, the reference says %v\n%s",
				plan.Select, plan.Hash, i, got, want, fmt.Sprintf("%x", frames[i]))
			if t.Failed() {
				return
			}
		}
	}
}
