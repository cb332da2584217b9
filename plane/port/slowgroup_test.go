package port

import (
	"errors"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
)

// slowPlan is a plan of LACP with eth1, and otherPlan one of another mode.
func slowPlan(index int) agg.Plan {
	return agg.Plan{Mode: agg.LACP, Punt: agg.ClassSlow, Ports: []agg.PlanPort{{Name: "eth1", Index: index}}}
}

func otherPlan(index int) agg.Plan {
	return agg.Plan{Mode: agg.ActiveBackup, Ports: []agg.PlanPort{{Name: "eth1", Index: index}}}
}

func (b bench) joined() (out bool) {
	b.t.Helper()
	b.Do(func() { out = inSlowGroup(b.Index("eth1")) })
	return out
}

func (b bench) slow(k *Keeper, p agg.Plan, want bool) {
	b.t.Helper()
	if err := k.SlowProtocols(p); err != nil {
		b.t.Fatal(err)
	}
	if got := b.joined(); got != want {
		b.t.Errorf("joined: %v, want %v", got, want)
	}
}

func TestGroupOfSlowProtocols(t *testing.T) {
	b := newBench(t)
	before := b.state()
	k := b.open()
	index, err := k.Take(t.Context(), "eth1", want)
	if err != nil {
		t.Fatal(err)
	}
	b.slow(k, otherPlan(index), false)
	b.slow(k, slowPlan(index), true)
	b.slow(k, otherPlan(index), false)
	b.slow(k, slowPlan(index), true)
	k = b.open() // the next daemon
	b.slow(k, slowPlan(index), true)
	if err := k.Release(t.Context(), "eth1"); err != nil {
		t.Fatal(err)
	}
	b.becomes(before)
}

// The mode was changed while no daemon ran.
func TestNextDaemonLeavesTheGroup(t *testing.T) {
	b := newBench(t)
	k := b.open()
	index, err := k.Take(t.Context(), "eth1", want)
	if err != nil {
		t.Fatal(err)
	}
	b.slow(k, slowPlan(index), true)
	b.slow(b.open(), otherPlan(index), false)
}

func TestGroupThatWasJoinedBeforeStays(t *testing.T) {
	b := newBench(t)
	nstest.Command(t, b.NS, "ip", "maddr", "add", slowGroup().String(), "dev", "eth1")
	before := b.state()
	k := b.open()
	index, err := k.Take(t.Context(), "eth1", want)
	if err != nil {
		t.Fatal(err)
	}
	b.slow(k, slowPlan(index), true)
	b.slow(k, otherPlan(index), true)
	if err := k.Release(t.Context(), "eth1"); err != nil {
		t.Fatal(err)
	}
	b.becomes(before)
}

// A crash at any step leaves nothing that the next daemon does not find.
func TestCrashWhileJoining(t *testing.T) {
	b := newBench(t)
	before := b.state()
	for steps, crashed := 0, true; crashed; steps++ {
		k := b.open()
		index, err := k.Take(t.Context(), "eth1", want)
		if err != nil {
			t.Fatal(err)
		}
		k.crash = crashAfter(steps)
		err = k.SlowProtocols(slowPlan(index))
		if crashed = errors.Is(err, errCrash); err != nil && !crashed {
			t.Fatal(err)
		}
		if err := b.open().Release(t.Context(), "eth1"); err != nil {
			t.Fatal(err)
		}
		b.becomes(before)
	}
}
