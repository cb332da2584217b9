package planetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/policy"
)

// entriesMove has an entry move that is in use: it does after a pause, and stays where it is
// then, whatever other entries do. A plane that does not see pauses leaves it where it is.
func entriesMove(_ *testing.T, b *bench) {
	b.needs(agg.SelectBuckets)
	b.apply(b.balance("layer3+4", "buckets"))
	fs := slices.Repeat(frames(1), few)
	entry := b.plan.Entry(policy.Hash(b.plan.Hash, fs[0], policy.Tag{}))
	former := b.plan.Ports[b.plan.Table[entry].First].Name
	b.expectAll(fs, former)

	b.apply(moving(b.plan, entry))
	b.inForce()
	if !b.plane.Capability().BucketCounters {
		time.Sleep(2 * agg.Pause)
		b.expectAll(fs, former)
		return
	}
	next := b.plan.Ports[b.plan.Table[entry].Second].Name
	b.oneWay(fs, former, next)
	time.Sleep(2 * agg.Pause)
	b.expectAll(fs, next)
	b.moved(entry, true)

	b.apply(moving(b.plan, (entry+1)%agg.NumBuckets)) // as well
	b.inForce()
	b.expectAll(fs, next)
	b.moved(entry, true)
	b.adoptMoved(fs, next)

	b.carriesOn(fs, former, next)

	b.apply(choosing(b.plan, entry, agg.Choice{First: b.plan.Table[entry].Second, Second: b.plan.Table[entry].First, Moves: true}))
	b.oneWay(fs, next, former) // from where it is
	time.Sleep(2 * agg.Pause)
	b.expectAll(fs, former)

	b.apply(choosing(b.plan, entry, agg.Choice{First: b.plan.Table[entry].Second, Second: b.plan.Table[entry].First}))
	b.expectAll(fs, former)
	b.moved(entry, false)
	b.apply(moving(b.plan, entry))
	b.moved(entry, false) // nothing of what was before
	b.oneWay(fs, former, next)
}

// choosing is a plan with another choice for an entry.
func choosing(plan agg.Plan, entry int, c agg.Choice) agg.Plan {
	plan.Table = slices.Clone(plan.Table)
	plan.Table[entry] = c
	return plan
}

// moving is a plan in which an entry moves to its second choice as well.
func moving(plan agg.Plan, entry int) agg.Plan {
	c := plan.Table[entry]
	c.Moves = true
	return choosing(plan, entry, c)
}

// oneWay checks that frames arrive behind the one port and, from some frame on, behind the
// other: a machine with other work may pause between two of them.
func (b *bench) oneWay(fs [][]byte, former, next string) {
	b.t.Helper()
	turned := false
	for i, got := range b.Send(b.t, fs) {
		port := strings.Join(got, ",")
		turned = turned || port == next
		if port != former && port != next || turned && port != next {
			b.t.Fatalf("frame %d arrived behind %s", i, port)
		}
	}
}

// moved checks whether an entry is reported to have moved.
func (b *bench) moved(entry int, want bool) {
	b.t.Helper()
	if got := b.observe().Buckets[entry].Moved; got != want {
		b.t.Errorf("entry %d has moved: %v, want %v", entry, got, want)
	}
}

// adoptMoved checks that the next daemon changes nothing about an entry that has moved.
func (b *bench) adoptMoved(fs [][]byte, next string) {
	b.t.Helper()
	if !b.plane.Capability().OutlivesDaemon {
		return
	}
	if err := b.plane.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.expectAll(fs, next)
	b.plane = b.Open(b.t)
	b.inForce()
	b.expectAll(fs, next)
}

// carriesOn checks that the port which an entry comes from takes over where the one that it
// has moved to has lost its carrier.
func (b *bench) carriesOn(fs [][]byte, former, next string) {
	b.t.Helper()
	if !b.plane.Capability().Guard {
		return
	}
	b.SetCarrier(b.t, next, false)
	b.expectAll(fs, former)
	b.SetCarrier(b.t, next, true)
	b.expectAll(fs, next)
}
