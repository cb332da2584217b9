package port

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
)

// stuck takes eth1 and begins a release that cannot end: an MTU of its record is one that
// no interface takes. The returned function makes it possible again.
func (b bench) stuck(k *Keeper) (mend func()) {
	b.t.Helper()
	if _, err := k.Take(b.t.Context(), "eth1", want); err != nil {
		b.t.Fatal(err)
	}
	r := k.record(b.Index("eth1"))
	mtu := r.MTU
	r.MTU = 70000
	var p *agg.Problem
	if err := k.Release(b.t.Context(), "eth1"); !errors.As(err, &p) || p.Code != "mtu-refused" {
		b.t.Fatalf("got %v", err)
	}
	return func() { k.record(r.Index).MTU = mtu }
}

// pending expects one port that is not given back yet, and a note of why.
func pending(t *testing.T, k *Keeper) {
	t.Helper()
	records := k.Taken()
	if len(records) != 1 || !records[0].Pending() || len(records[0].Notes) != 1 || !strings.Contains(records[0].Notes[0], "65535") {
		t.Errorf("records: %+v", records)
	}
}

// A port that cannot be given back keeps nobody from opening the journal, or from taking
// others; it is tried again then.
func TestPortThatCannotBeGivenBackIsInNobodysWay(t *testing.T) {
	b := newBench(t)
	before := b.state()
	b.stuck(b.open())
	for range 2 {
		pending(t, b.open())
	}
	k := b.open()
	if _, err := k.Take(t.Context(), "far", Want{}); err != nil {
		t.Fatal(err)
	}
	if err := k.Release(t.Context(), "far"); err != nil {
		t.Fatal(err)
	}
	pending(t, k)
	if err := k.Release(t.Context(), "eth1"); err == nil {
		t.Error("a release says that all is well")
	}
	k.record(b.Index("eth1")).MTU = 1500
	if _, err := k.Take(t.Context(), "far", Want{}); err != nil {
		t.Fatal(err)
	}
	if records := k.Taken(); len(records) != 1 || records[0].Name != "far" {
		t.Errorf("records: %+v", records)
	}
	b.becomes(before)
}

// A port that is being given back is no port: to take it is to end that and begin anew.
func TestTakeOfPortThatIsBeingGivenBack(t *testing.T) {
	b := newBench(t)
	before := b.state()
	k := b.open()
	mend := b.stuck(k)
	if _, err := k.Take(t.Context(), "eth1", want); err == nil {
		t.Error("it was taken, and is not given back")
	}
	mend()
	if _, err := k.Take(t.Context(), "eth1", want); err != nil {
		t.Fatal(err)
	}
	b.checkTaken()
	if records := k.Taken(); len(records) != 1 || records[0].Pending() {
		t.Errorf("records: %+v", records)
	}
	if err := k.Release(t.Context(), "eth1"); err != nil {
		t.Fatal(err)
	}
	b.becomes(before)
}

// A port that is elsewhere and cannot be restored there keeps nobody from taking others.
func TestMovedPortThatCannotBeRestoredIsInNobodysWay(t *testing.T) {
	b := newBench(t)
	b.Veth("eth2", b.NS, "far2")
	k := b.open()
	if _, err := k.Take(t.Context(), "eth1", want); err != nil {
		t.Fatal(err)
	}
	index := b.Index("eth1")
	k.record(index).MTU = 70000
	other := nstest.New(t)
	if err := b.Handle().LinkSetNsFd(b.Link("eth1"), other.FD()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"far", "eth2"} {
		if _, err := k.Take(t.Context(), name, Want{}); err != nil {
			t.Fatal(err)
		}
	}
	if r := k.record(index); r == nil || !r.Pending() || len(r.Notes) == 0 {
		t.Fatalf("record: %+v", r)
	}
	k.record(index).MTU = 1500
	if _, err := k.Take(t.Context(), "far2", Want{}); err != nil {
		t.Fatal(err)
	}
	if k.record(index) != nil || other.Link("eth1").Attrs().MTU != 1500 {
		t.Errorf("not restored: %+v", k.record(index))
	}
}

// Whoever only asks does not touch what a keeper is at work on.
func TestCheckLeavesTheJournalAlone(t *testing.T) {
	b := newBench(t)
	k := b.open()
	k.crash = crashAfter(5)
	if _, err := k.Take(t.Context(), "eth1", want); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	during := b.state()
	if err := b.Run(func() error { return Check(b.path, "bond0", "far", nil) }); err != nil {
		t.Error(err)
	}
	var p *agg.Problem
	err := b.Run(func() error { return Check(filepath.Join(filepath.Dir(b.path), "bond1"+Suffix), "bond1", "eth1", nil) })
	if !errors.As(err, &p) || p.Code != "port-busy" {
		t.Errorf("got %v", err)
	}
	if after := b.state(); after != during {
		t.Errorf("during:\n%s\nafter:\n%s", during, after)
	}
	if j, err := load(b.path); err != nil || len(j.Ports) != 1 {
		t.Errorf("journal: %+v, %v", j, err)
	}
}
