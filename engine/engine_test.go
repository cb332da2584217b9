package engine_test

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
)

func TestPulledCableMovesTrafficAndAnnounces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1", "eth2")).start()
		defer r.stop()
		r.plane.SetAddresses(netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"))
		r.quiet(5 * time.Second)
		if got := r.carries(); got != "eth1" {
			t.Fatalf("%q carries at first", got)
		}
		r.world.SetCarrier("eth1", false)
		synctest.Wait() // no time passes
		if p := r.published(); p.Ports[p.Table[0].First].Name != "eth2" || p.Generation != 2 {
			t.Errorf("the plan after the loss is %+v", p)
		}
		sent := r.world.TakeSent()
		if len(sent) != 2 || sent[0].Port != "eth2" || sent[1].Port != "eth2" {
			t.Errorf("announced %+v", sent)
		}
		r.quiet(10 * time.Second)
		if more := r.world.TakeSent(); len(more) != 0 {
			t.Errorf("announced again: %+v", more)
		}
	})
}

func TestAnnouncesAddressesLearntAfterTheFailover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1", "eth2")).start()
		defer r.stop()
		r.quiet(time.Second)
		r.plane.SetAddresses(netip.MustParseAddr("192.0.2.1"))
		r.world.SetCarrier("eth1", false)
		r.quiet(time.Second)
		if sent := r.world.TakeSent(); len(sent) != 1 {
			t.Errorf("announced %+v", sent)
		}
	})
}

func TestNumGratARPZeroAnnouncesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, map[string]string{"num_grat_arp": "0"}, "eth1", "eth2")).start()
		defer r.stop()
		r.plane.SetAddresses(netip.MustParseAddr("192.0.2.1"))
		r.quiet(5 * time.Second)
		r.world.SetCarrier("eth1", false)
		r.quiet(5 * time.Second)
		if sent := r.world.TakeSent(); len(sent) != 0 {
			t.Errorf("announced %+v", sent)
		}
	})
}

func TestSummaries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1", "eth2")).start()
		defer r.stop()
		want := func(text string) {
			t.Helper()
			if s := r.status(); s.Summary != text || !s.Plan.InForce {
				t.Errorf("got %q (in force %v), want %q", s.Summary, s.Plan.InForce, text)
			}
		}
		r.quiet(time.Second)
		want("1 of 2 ports carries traffic (eth1); eth2 stands by")
		r.world.SetCarrier("eth2", false)
		r.quiet(3 * time.Second)
		want("1 of 2 ports carries traffic (eth1); eth2: no carrier for 3 s")
		r.world.DeleteLink("eth1")
		r.quiet(3 * time.Minute)
		want("0 of 2 ports carry traffic; eth1: no such interface for 3 min; eth2: no carrier for 3 min")
	})
}

func TestLostEventsAreMadeUpByTheOverrunAndThePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1", "eth2")).start()
		defer r.stop()
		r.quiet(time.Second)
		r.world.Mute(true)
		r.world.SetCarrier("eth1", false)
		r.world.Overrun()
		synctest.Wait()
		if r.carries() != "eth2" || r.published().Generation != 2 {
			t.Error("an overrun does not lead to reading everything")
		}
		r.world.SetCarrier("eth1", true)
		r.world.SetCarrier("eth2", false)
		r.quiet(4 * time.Second)
		if p := r.published(); p.Generation != 3 || p.Ports[p.Table[0].First].Name != "eth1" {
			t.Errorf("a lost event is not made up in time: %+v", p)
		}
	})
}

func TestDifferenceIsRepairedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1", "eth2")).start()
		defer r.stop()
		r.quiet(time.Second)
		r.plane.Tamper(func(p agg.Plan) *agg.Plan { p.Table[0].First = 1; return &p })
		r.quiet(4 * time.Second)
		if r.carries() != "eth1" {
			t.Error("a changed plan is not repaired")
		}
		r.plane.Tamper(func(agg.Plan) *agg.Plan { return nil })
		r.quiet(4 * time.Second)
		r.plane.DeleteDevice()
		r.quiet(4 * time.Second)
		s := r.status()
		if r.carries() != "eth1" || !s.Device.Present || !s.Plan.InForce {
			t.Errorf("a missing plan or device is not repaired: %+v", s.Plan)
		}
		events, _ := r.e.Events(0)
		repaired := 0
		for _, e := range events {
			if e.Cause == "repaired" {
				repaired++
			}
		}
		if repaired != 3 {
			t.Errorf("%d repairs recorded, want 3", repaired)
		}
	})
}

// refuseOneInThree makes every third call of any kind fail.
func refuseOneInThree(r *rig) {
	calls := 0
	r.world.Refuse(func(op string) error {
		if calls++; calls%3 == 0 {
			return errors.New(op + " refused")
		}
		return nil
	})
}

func TestRefusedCallsAreMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1", "eth2"))
		refuseOneInThree(r)
		r.start()
		defer r.stop()
		for range 50 {
			r.world.SetCarrier("eth1", false)
			r.quiet(100 * time.Millisecond)
			if got := r.carries(); got != "eth2" {
				t.Fatalf("%q carries after eth1 lost its carrier", got)
			}
			r.world.SetCarrier("eth1", true)
			r.world.SetCarrier("eth2", false)
			r.quiet(100 * time.Millisecond)
			if got := r.carries(); got != "eth1" {
				t.Fatalf("%q carries after eth2 lost its carrier", got)
			}
			r.world.SetCarrier("eth2", true)
		}
	})
}

func TestRestartContinues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, map[string]string{"mode": "balance-xor"}, "eth1", "eth2", "eth3")).start()
		r.quiet(time.Second)
		r.world.SetCarrier("eth2", false)
		r.quiet(time.Second)
		before, changes := r.published(), r.plane.Changes()
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		seq := r.store.saved.Seq
		r.plane.Close()
		r.start()
		r.quiet(10 * time.Second)
		if after := r.published(); !reflect.DeepEqual(before, after) {
			t.Errorf("the plan changed:\n%+v\n%+v", before, after)
		}
		if n := r.plane.Changes() - changes; n != 0 {
			t.Errorf("%d calls of Apply changed something", n)
		}
		if s := r.status(); s.Ports[1].Failures != 1 {
			t.Errorf("%d failures of eth2 after the restart", s.Ports[1].Failures)
		}
		r.world.SetCarrier("eth2", true)
		r.quiet(time.Second)
		// one plan has the entries move, and one has them moved
		if p := r.published(); p.Generation != before.Generation+2 {
			t.Errorf("generation %d after %d", p.Generation, before.Generation)
		}
		events, lost := r.e.Events(seq)
		if len(events) == 0 || events[0].Seq != seq+1 || lost != 0 {
			t.Errorf("events after %d: %+v, lost %d", seq, events, lost)
		}
		r.stop()
	})
}

func TestRestartAfterACrashSkipsNumbersThatMayHaveBeenShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1")).start()
		r.quiet(time.Second)
		crashed := *r.store.saved
		r.stop()
		r.store.saved = &crashed
		r.start()
		defer r.stop()
		r.world.SetCarrier("eth1", false)
		r.quiet(time.Second)
		events, lost := r.e.Events(crashed.Seq)
		if len(events) == 0 || lost == 0 || events[0].Seq != crashed.Seq+lost+1 {
			t.Errorf("%d lost, events %+v", lost, events)
		}
	})
}

func TestNewerStateIsRefusedByName(t *testing.T) {
	_, err := engine.New(agg.Spec{Name: "bond0"}, engine.World{}, &engine.Saved{Version: engine.SavedVersion + 1})
	if err == nil || !strings.Contains(err.Error(), "bond0 has version 2") {
		t.Errorf("got %v", err)
	}
}

func TestRefusedUpdateLeavesEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1", "eth2")).start()
		defer r.stop()
		r.world.AddLink("eth3")
		r.quiet(time.Second)
		before := r.published()
		r.world.Refuse(func(op string) error {
			if op == "apply" {
				return &agg.Problem{Code: "port-busy", Object: "eth3", Rule: "has addresses"}
			}
			return nil
		})
		err := r.e.Update(t.Context(), spec(t, nil, "eth1", "eth2", "eth3"))
		if _, ok := errors.AsType[*agg.Problem](err); !ok {
			t.Fatalf("got %v", err)
		}
		r.world.Refuse(func(string) error { return nil })
		r.quiet(5 * time.Second)
		if after := r.published(); !reflect.DeepEqual(before, after) {
			t.Errorf("the plan changed:\n%+v\n%+v", before, after)
		}
		if s := r.status(); len(s.Spec.Ports) != 2 || s.Total != 2 || !s.Plan.InForce {
			t.Errorf("the spec changed: %+v", s.Spec)
		}
	})
}

func TestUpdateInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1", "eth2")).start()
		defer r.stop()
		r.world.AddLink("eth3")
		refuseOneInThree(r)
		wide, narrow := spec(t, map[string]string{"mode": "active-backup"}, "eth1", "eth2", "eth3"), spec(t, nil, "eth3")
		for i := range 20 {
			want := narrow
			if i%2 == 0 {
				want = wide
			}
			go r.world.SetCarrier("eth1", i%3 != 0)
			if err := r.e.Update(t.Context(), want); err != nil {
				t.Fatal(err)
			}
			r.quiet(50 * time.Millisecond)
		}
		r.world.Refuse(func(string) error { return nil })
		if p := r.published(); len(p.Ports) != 1 || p.Ports[0].Name != "eth3" || r.world.Subscribers() != 1 {
			t.Errorf("%d subscriptions, plan %+v", r.world.Subscribers(), p)
		}
		if l := r.world.Link("eth1"); l.MAC == r.published().MAC && l.Index != 1 {
			t.Errorf("eth1 was not given back: %+v", l)
		}
	})
}

func TestUpdelayIsCutShortWhereNoPortIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, map[string]string{"updelay": "2s", "downdelay": "300ms"}, "eth1", "eth2")).start()
		defer r.stop()
		synctest.Wait()
		if got := r.carries(); got != "eth1" {
			t.Fatalf("%q carries at once", got)
		}
		r.quiet(5 * time.Second)
		r.world.SetCarrier("eth2", false)
		r.quiet(time.Second)
		r.world.SetCarrier("eth2", true)
		r.quiet(time.Second)
		r.world.SetCarrier("eth1", false)
		r.quiet(200 * time.Millisecond)
		if s := r.status(); s.Active != "eth1" {
			t.Errorf("%q is active within downdelay", s.Active)
		}
		r.quiet(200 * time.Millisecond)
		if s := r.status(); s.Active != "eth2" {
			t.Errorf("%q is active after downdelay", s.Active)
		}
	})
}

func TestReadersAreToldWhatTheyLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1")).start()
		defer r.stop()
		for i := range 200 {
			r.world.SetCarrier("eth1", i%2 == 0)
			r.quiet(time.Millisecond)
		}
		events, lost := r.e.Events(0)
		if uint64(len(events))+lost != events[len(events)-1].Seq || events[0].Seq != lost+1 {
			t.Errorf("%d events, %d lost, from %d to %d", len(events), lost, events[0].Seq, events[len(events)-1].Seq)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.e.WaitEvent(ctx, events[len(events)-1].Seq); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting for a next event: %v", err)
		}
	})
}

func TestCallsAfterTheEndAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1")).start()
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		if _, err := r.e.Status(t.Context()); !errors.Is(err, engine.ErrStopped) {
			t.Errorf("got %v", err)
		}
		if n := r.world.Subscribers(); n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
	})
}

// Somebody else changed a port's address: the plan has not changed, but what it promises
// does not hold.
func TestAPortGetsItsAddressBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1", "eth2")).start()
		defer r.stop()
		r.quiet(time.Second)
		mac := r.published().MAC
		r.world.Change("eth2", func(l *agg.LinkFacts) { l.MAC = agg.MAC{2, 9, 9, 9, 9, 9} })
		r.quiet(time.Second)
		if got := r.world.Link("eth2").MAC; got != mac {
			t.Errorf("eth2 has the address %s, not %s", got, mac)
		}
		if s := r.status(); !s.Plan.InForce {
			t.Errorf("%+v", s.Plan)
		}
	})
}
