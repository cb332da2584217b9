package ebpf

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/policy"
)

// TestEntryMovesAtTheFirstFrameAfterAPause sets the times that the programs look at.
func TestEntryMovesAtTheFirstFrameAfterAPause(t *testing.T) {
	b := newBench(t)
	entry := b.program(yokeProgYokeEntryCommon)
	data := frame(t, udpFrame)
	p := b.spread(agg.SelectBuckets, agg.HashLayer34, 2, false)
	i := uint32(p.Entry(policy.Hash(p.Hash, data, policy.Tag{})))
	with := func(p agg.Plan, i uint32, c agg.Choice) agg.Plan {
		p.Table = slices.Clone(p.Table)
		p.Table[i] = c
		return p
	}
	from, to := p.Table[i].First, p.Table[i].Second
	there, back := agg.Choice{First: from, Second: to, Moves: true}, agg.Choice{First: to, Second: from, Moves: true}
	moving := with(p, i, there)
	e := func(p agg.Plan) *yokePlan { return encode(p, 1, places{}.with(p)).route(7, 8, false) }
	const early, late = uint64(1), uint64(math.MaxInt64)
	set := func(moved uint32, before, used uint64) {
		t.Helper()
		if err := b.publish.moving.idle.Put(i, before); err != nil {
			t.Fatal(err)
		}
		if err := b.publish.moving.moves.Put(i, yokeMove{Moved: moved, LastUsed: used}); err != nil {
			t.Fatal(err)
		}
	}
	want := func(when string, c agg.Choice, port int) {
		t.Helper()
		if got := b.portOf(entry, data); got != port {
			t.Errorf("%s: port %d, want %d", when, got, port)
		}
		moved, err := b.publish.moving.moved(i, e(with(p, i, c)).Table[i])
		if err != nil || moved != (port == c.Second) {
			t.Errorf("%s: moved %v, %v", when, moved, err)
		}
	}
	set(e(moving).Table[i].key(), late, late) // left by a move before
	b.publishPlan(moving)
	want("never used before", there, to)

	b.publishPlan(p)
	b.publishPlan(moving)
	if got, _ := decode(e(moving)); !got.Equal(moving) {
		t.Error("the move is not read back")
	}
	set(0, 0, 0)
	want("not known when it was used before", there, from)
	set(0, late, 0)
	want("used before just now", there, from)
	set(0, early, late)
	want("used just now", there, from)
	set(0, early, early)
	want("after a pause", there, to)
	set(e(moving).Table[i].key(), late, late)
	want("moved", there, to)
	b.publishPlan(with(moving, (i+1)%agg.NumBuckets, there))
	want("moved, and another entry moves", there, to)

	b.publishPlan(with(p, i, back))
	want("moved, and on its way back", back, to)
	set(e(moving).Table[i].key(), early, early)
	want("back after a pause", back, from)
}

// What a daemon left that died before it had said when the entries were used last, the next one
// makes good.
func TestMovesThatWereNotBegunBegin(t *testing.T) {
	b := newBench(t)
	p := b.spread(agg.SelectBuckets, agg.HashLayer34, 2, false)
	p.Table = slices.Clone(p.Table)
	p.Table[3].Moves = true
	b.publishPlan(p)
	idle := b.publish.moving.idle
	if err := idle.Put(uint32(3), uint64(0)); err != nil {
		t.Fatal(err)
	}
	b.publishPlan(p)
	var before uint64
	if err := idle.Lookup(uint32(3), &before); err != nil || before == 0 {
		t.Errorf("last use %d, %v", before, err)
	}
}

// A daemon of before knew no entries that move: its pins lack their maps.
func TestAdoptsPinsWithoutMoves(t *testing.T) {
	nstest.Require(t, "root", "bpf", "clsact", "veth", "bridge")
	r := newRig(t, Options{})
	r.ready()
	plan := r.balanced()
	r.apply(plan)
	dir := r.plane.dir
	r.close()
	for _, name := range []string{yokeMapYokeMoves, yokeMapYokeIdle} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	r.open()
	for i := range plan.Table {
		plan.Table[i].Moves = true
	}
	plan.Generation++
	r.apply(plan)
	if got := r.observe().Published; got == nil || !got.Equal(plan) {
		t.Errorf("in force: %+v", got)
	}
	r.near.MustPing(there)
}
