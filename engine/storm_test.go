package engine_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/policy"
	"github.com/yokelag/yoke/watch"
)

// TestFlapStorm bounces ports 1,000 times for 1-250 ms, by carrier, by setting them
// down, by losing the speed and by making them anew, and checks that after 100 ms of
// quiet the plane does what follows from the facts alone.
func TestFlapStorm(t *testing.T) {
	seeds := uint64(20)
	if testing.Short() {
		seeds = 4
	}
	for seed := range seeds {
		mode := []string{"active-backup", "balance-xor"}[seed/2%2]
		t.Run(fmt.Sprintf("seed=%d/%s", seed, mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { storm(t, seed, mode) })
		})
	}
}

func storm(t *testing.T, seed uint64, mode string) {
	random := rand.New(rand.NewPCG(seed, 1))
	names := []string{"eth1", "eth2", "eth3"}
	r := newRig(t, spec(t, map[string]string{"mode": mode}, names...))
	if seed%2 == 1 {
		refuseOneInThree(r)
	}
	r.start()
	defer r.stop()
	for i := range 1000 {
		if name := names[random.IntN(len(names))]; random.IntN(8) == 0 {
			go bounce(r, random.IntN(4), name, pause(random))
		} else {
			bounce(r, random.IntN(4), name, pause(random))
		}
		if i%100 == 99 {
			synctest.Wait()
			r.quiet(time.Second) // the bounces in the background
			r.world.Refuse(func(string) error { return nil })
			r.quiet(2 * time.Second) // longer than the longest pause after a refused call
			r.settled(seed)
		}
	}
}

func pause(random *rand.Rand) time.Duration {
	return time.Millisecond + time.Duration(random.Int64N(int64(249*time.Millisecond)))
}

func bounce(r *rig, kind int, name string, d time.Duration) {
	switch kind {
	case 0:
		r.world.SetCarrier(name, false)
		time.Sleep(d)
		r.world.SetCarrier(name, true)
	case 1:
		r.world.Change(name, func(l *agg.LinkFacts) { l.AdminUp = false })
		time.Sleep(d)
		r.world.Change(name, func(l *agg.LinkFacts) { l.AdminUp = true })
	case 2:
		r.world.Change(name, func(l *agg.LinkFacts) { l.Speed, l.Carrier = 0, false })
		time.Sleep(d)
		r.world.Change(name, func(l *agg.LinkFacts) { l.Carrier = true })
		time.Sleep(d)
		r.world.Change(name, func(l *agg.LinkFacts) { l.Speed = 10000 })
	case 3:
		r.world.DeleteLink(name)
		time.Sleep(d)
		r.world.AddLink(name)
	}
}

// settled compares the plane's plan with one made from scratch, and looks at what the
// ports really carry.
func (r *rig) settled(seed uint64) {
	r.t.Helper()
	got := r.published()
	want := r.fromScratch(got.MAC)
	if !got.Equal(want) {
		r.t.Fatalf("seed %d: the plane has\n%+v\nfrom scratch it is\n%+v", seed, got, want)
	}
	arrived := map[string]int{}
	frame := make([]byte, 60)
	for i := range 512 {
		frame[0], frame[5], frame[11] = 2, byte(i), byte(i>>4)
		for _, name := range r.plane.Send(frame) {
			arrived[name]++
		}
	}
	for _, p := range want.Ports {
		if p.Transmit != (arrived[p.Name] > 0) {
			r.t.Fatalf("seed %d: port %s should carry: %v; frames seen: %d", seed, p.Name, p.Transmit, arrived[p.Name])
		}
	}
	if seed%2 == 1 {
		refuseOneInThree(r)
	}
}

// fromScratch makes a plan from nothing but the facts, and the name of the active port
// where several ports are as good.
func (r *rig) fromScratch(mac agg.MAC) agg.Plan {
	in := policy.Input{MAC: mac}
	c := r.spec.Config()
	for _, p := range c.Ports {
		l := r.world.Link(p.Name)
		v := policy.Verdict{}
		if watch.NewCarrier(0, 0).Step(watch.Input{Link: l}).Phase == watch.Up {
			v.State = policy.Up
		}
		in.Ports = append(in.Ports, policy.PortInput{Link: l, Watch: v})
	}
	if c.Mode == agg.ActiveBackup {
		in.Previous.Active = r.status().Active
	}
	plan, _, _ := policy.Plan(c, in)
	return plan
}

// TestPlansOfOneStateAreEqual guards the comparison that the storm relies on.
func TestPlansOfOneStateAreEqual(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, map[string]string{"mode": "balance-xor"}, "eth1", "eth2")).start()
		defer r.stop()
		if a, b := r.fromScratch(agg.MAC{}), r.fromScratch(agg.MAC{}); !reflect.DeepEqual(a, b) {
			t.Errorf("%+v\n%+v", a, b)
		}
	})
}
