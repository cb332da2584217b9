package vethtest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/plane/bonding"
	"github.com/yokelag/yoke/plane/ebpf"
	"github.com/yokelag/yoke/plane/planetest"
	"github.com/yokelag/yoke/plane/planetest/vethtest"
	"github.com/yokelag/yoke/plane/team"
	"github.com/yokelag/yoke/plane/user"
	"github.com/yokelag/yoke/policy"
)

func openers() map[string]vethtest.Opener {
	return map[string]vethtest.Opener{
		"user": func(ctx context.Context, s vethtest.Setup) (planetest.Plane, error) {
			return user.Open(ctx, user.Options{Name: s.Name, StateDir: s.StateDir})
		},
		"ebpf": func(ctx context.Context, s vethtest.Setup) (planetest.Plane, error) {
			return ebpf.Open(ctx, ebpf.Options{Name: s.Name, StateDir: s.StateDir})
		},
		"team": func(ctx context.Context, s vethtest.Setup) (planetest.Plane, error) {
			return team.Open(ctx, team.Options{Name: s.Name, StateDir: s.StateDir})
		},
		"bonding": func(ctx context.Context, s vethtest.Setup) (planetest.Plane, error) {
			return bonding.Open(ctx, bonding.Options{Name: s.Name, StateDir: s.StateDir})
		},
	}
}

// TestPlanesChooseAsTheReference sends generated frames through each plane and compares
// the port with policy.Hash and agg.Plan.Entry, for every hash policy that the plane has
// and some lists of fields. The same seed is used for each, so the planes agree with each
// other too. AGREE_FRAMES=100000 sends so many for each policy, instead of 10000.
func TestPlanesChooseAsTheReference(t *testing.T) {
	count := 10_000
	if testing.Short() {
		count = 1000
	}
	if text := os.Getenv("AGREE_FRAMES"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		count = n
	}
	forEachPlane(t, func(t *testing.T, open vethtest.Opener) { chooseAsReference(t, open, count) })
}

// forEachPlane runs a test on each plane that this kernel allows.
func forEachPlane(t *testing.T, test func(*testing.T, vethtest.Opener)) {
	t.Helper()
	for name, open := range openers() {
		t.Run(name, func(t *testing.T) {
			switch name {
			case "ebpf":
				nstest.Require(t, "bpf")
			case "team", "bonding":
				nstest.Require(t, name)
			}
			test(t, open)
		})
	}
}

func portName(i int) string { return fmt.Sprintf("p%d", i) }

// newSpread returns a plane over n ports, and a plan of them that lacks its table.
func newSpread(t *testing.T, open vethtest.Opener, n int) (planetest.Harness, planetest.Plane, agg.Plan) {
	t.Helper()
	var ports []string
	for i := range n {
		ports = append(ports, portName(i))
	}
	h := vethtest.World(open)(t, ports)
	plane := h.Open(t)
	plan := agg.Plan{
		Mode: agg.BalanceXOR, Carrier: true, MAC: agg.MAC{2, 0, 0, 0, 0, 1}, MTU: 1500, Multicast: agg.NoPort,
	}
	for i, port := range ports {
		plan.Ports = append(plan.Ports, agg.PlanPort{
			Name: port, Index: h.Link(t, port).Index, Transmit: true, Receive: true, Order: i,
		})
	}
	return h, plane, plan
}

func chooseAsReference(t *testing.T, open vethtest.Opener, count int) {
	const ports = 3
	h, plane, plan := newSpread(t, open, ports)
	random := rand.New(rand.NewPCG(2, 8023))
	for _, hash := range policies(plane.Capability()) {
		for _, how := range []agg.Selector{agg.SelectBuckets, agg.SelectModulo} {
			if !slices.Contains(plane.Capability().Selectors, how) {
				continue
			}
			plan.Generation++
			plan.Hash, plan.Select, plan.Table = hash, how, table(how, ports)
			if err := plane.Apply(t.Context(), plan); err != nil {
				t.Fatal(err)
			}
			compare(t, h, plan, random, count/2)
		}
	}
}

// policies are the hash policies of a plane; of lists of fields there are some: each
// field alone, teamd's own list, and all.
func policies(c agg.Capability) (out []agg.HashPolicy) {
	for _, h := range c.Hashes {
		if h != agg.HashFields {
			out = append(out, h)
			continue
		}
		for _, fields := range []agg.HashPolicy{
			0, agg.FieldEth, agg.FieldVLAN, agg.FieldIPv4, agg.FieldIPv6, agg.FieldTCP, agg.FieldUDP, agg.FieldSCTP,
			agg.FieldEth | agg.FieldIPv4 | agg.FieldIPv6, agg.HashFields - 1,
		} {
			out = append(out, h|fields)
		}
	}
	return out
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

// excuser counts what the machine lost, and not the plane.
type excuser interface{ Excused() int }

// awaitExcuse waits until so many lost frames are accounted for, as late ones are in time.
func awaitExcuse(machine excuser, lost int) (excused int) {
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if excused += machine.Excused(); excused >= lost || time.Now().After(end) {
			return excused
		}
	}
}

// compare sends frames and compares their ports. A frame that a busy machine lost is sent
// again, where something on the way has counted it.
func compare(t *testing.T, h planetest.Harness, plan agg.Plan, random *rand.Rand, count int) {
	t.Helper()
	frames := make([][]byte, count)
	for i := range frames {
		frames[i] = anyFrame(random, uint32(i))
	}
	machine, ok := h.(excuser)
	if !ok {
		t.Fatal("the harness cannot tell what the machine lost")
	}
	for try := 0; len(frames) > 0; try++ {
		machine.Excused()
		var lost [][]byte
		for i, got := range h.Send(t, frames) {
			hash := policy.Hash(plan.Hash, frames[i], policy.Tag{})
			want := []string{plan.Ports[plan.Table[plan.Entry(hash)].First].Name}
			if len(got) == 0 {
				lost = append(lost, frames[i])
			} else if !slices.Equal(got, want) {
				t.Errorf("%v, %v: frame %d left by %v, the reference says %v\n%x", plan.Select, plan.Hash, i, got, want, frames[i])
				return
			}
		}
		if excused := awaitExcuse(machine, len(lost)); len(lost) > excused || try == 5 {
			t.Errorf("%v, %v: %d frames were lost, and %d counted on the way; one is\n%x", plan.Select, plan.Hash, len(lost), excused, lost[0])
			return
		}
		if len(lost) > 0 {
			t.Logf("%v, %v: a busy machine lost %d frames; sent again", plan.Select, plan.Hash, len(lost))
		}
		frames = lost
	}
}
