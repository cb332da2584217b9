package daemon

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

var errBusy = errors.New("device or resource busy")

func busy() error { return errBusy }

// listed is the only row of the status.
func listed(t *testing.T, r *registry, name string) agg.Status {
	t.Helper()
	for _, asked := range []string{"", name} {
		list, err := r.statuses(t.Context(), asked)
		if err != nil || len(list.Aggregates) != 1 || list.Aggregates[0].Name != name {
			t.Fatalf("asked for %q: got %+v, %v", asked, list, err)
		}
	}
	list, _ := r.statuses(t.Context(), name)
	return list.Aggregates[0]
}

// tells checks that a row is that of a broken aggregate and says why and what to do.
func tells(t *testing.T, s agg.Status, code string) {
	t.Helper()
	if len(s.Findings) != 1 || s.Findings[0].Code != code || s.Findings[0].Severity != "error" || s.Daemon.Running || s.Total != 2 || len(s.Ports) != 2 ||
		!strings.Contains(s.Findings[0].Text, errBusy.Error()) || !strings.Contains(s.Findings[0].Remedy, "`yoke down "+s.Name+"`") {
		t.Errorf("got %+v", s)
	}
}

func stateFiles(r *registry) []string {
	left, _ := filepath.Glob(filepath.Join(r.dir, "*.json*"))
	return left
}

func TestFailedDownStaysListedAndCanBeRepeated(t *testing.T) {
	r, w := newStubborn(t, "eth1", "eth2")
	w.destroy = busy
	for range 2 {
		if err := r.down(t.Context(), "bond0"); !errors.Is(err, errBusy) {
			t.Fatalf("got %v", err)
		}
		tells(t, listed(t, r, "bond0"), control.FindingNotTakenApart)
	}
	_, err := r.get("bond0")
	refused(t, err, control.FindingNotTakenApart, "`yoke down bond0`")
	refused(t, r.up(t.Context(), agg.Spec{Name: "bond0"}, origin{}), control.FindingNotTakenApart)
	refused(t, r.up(t.Context(), agg.Spec{Name: "bond1", Ports: []agg.PortSpec{{Name: "eth2"}}}, origin{}), "port-busy", "bond0")
	if adopted, next := r.readopt(t.Context(), time.Now().Add(time.Hour)); len(adopted) != 0 || next != 0 {
		t.Errorf("what was to be taken apart is adopted: %v", adopted)
	}
	w.destroy = nil
	if err := r.down(t.Context(), "bond0"); err != nil || len(stateFiles(r)) != 0 {
		t.Fatalf("left %v, %v", stateFiles(r), err)
	}
	refused(t, r.down(t.Context(), "bond0"), "not-found")
	if err := r.up(t.Context(), agg.Spec{Name: "bond0", Ports: []agg.PortSpec{{Name: "eth1"}}}, origin{}); err != nil {
		t.Error(err)
	}
}

// The next daemon goes on with taking apart, and does not bring the aggregate back.
func TestRestartFinishesAFailedDown(t *testing.T) {
	r, w := newStubborn(t, "eth1", "eth2")
	w.destroy = busy
	if err := r.down(t.Context(), "bond0"); err == nil {
		t.Fatal("down succeeded")
	}
	r = again(t, r)
	tells(t, listed(t, r, "bond0"), control.FindingNotTakenApart)
	w.destroy = nil
	r = again(t, r)
	if list, err := r.statuses(t.Context(), ""); err != nil || len(list.Aggregates) != 0 || len(stateFiles(r)) != 0 {
		t.Errorf("got %+v, %v; left %v", list, err, stateFiles(r))
	}
}

func TestFailedAdoptionIsListedAndTriedAgain(t *testing.T) {
	r, w := newStubborn(t, "eth1", "eth2")
	w.open = busy
	r = again(t, r)
	tells(t, listed(t, r, "bond0"), control.FindingNotAdopted)
	_, err := r.update(t.Context(), "bond0", func(*agg.Spec) error { return nil })
	refused(t, err, control.FindingNotAdopted, "`yoke down bond0`")
	now := time.Now()
	last := time.Duration(0)
	for range 10 { // each waits longer, up to the most
		adopted, next := r.readopt(t.Context(), now)
		if len(adopted) != 0 || next <= 0 || next > readoptMost+time.Minute {
			t.Fatalf("adopted %v, next in %v", adopted, next)
		}
		now, last = now.Add(next), next
	}
	if wait := time.Until(r.brokenOne("bond0").next); wait < readoptMost/2 || wait > readoptMost {
		t.Errorf("waits %v, %v before", wait, last)
	}
	w.open = nil
	if adopted, next := r.readopt(t.Context(), time.Now().Add(readoptMost)); len(adopted) != 1 || next != 0 {
		t.Errorf("adopted %v, next in %v", adopted, next)
	}
	if s := listed(t, r, "bond0"); s.Carrying != 1 || len(s.Findings) != 0 {
		t.Errorf("got %+v", s)
	}
}

// Without anybody asking, a daemon adopts what it could not at its start.
func TestDaemonAdoptsLater(t *testing.T) {
	r, w := newStubborn(t, "eth1", "eth2")
	w.open = busy
	r = again(t, r)
	adopted := make(chan []string, 1)
	w.open = nil
	defer r.followBroken(context.Background(), func(names []string) { adopted <- names })()
	select {
	case names := <-adopted:
		if len(names) != 1 || names[0] != "bond0" {
			t.Errorf("got %v", names)
		}
	case <-time.After(time.Minute):
		t.Fatal("not adopted")
	}
}

func TestDownOfWhatCouldNotBeAdopted(t *testing.T) {
	r, w := newStubborn(t, "eth1", "eth2")
	w.open = busy
	r = again(t, r)
	if err := r.release(t.Context(), "bond0"); !errors.Is(err, errBusy) {
		t.Fatalf("got %v", err)
	}
	tells(t, listed(t, r, "bond0"), control.FindingNotTakenApart)
	w.open = nil
	if err := r.release(t.Context(), "bond0"); err != nil || len(stateFiles(r)) != 0 {
		t.Errorf("left %v, %v", stateFiles(r), err)
	}
}

// A failed up that cannot be taken apart again is not forgotten either.
func TestFailedUpThatStaysIsListed(t *testing.T) {
	r, w := newStubborn(t, "eth1", "eth2")
	if err := r.down(t.Context(), "bond0"); err != nil {
		t.Fatal(err)
	}
	w.destroy = busy
	w.mem.Refuse(func(op string) error {
		if op == "apply" {
			return errors.New("no")
		}
		return nil
	})
	spec := agg.Spec{Name: "bond0", Ports: []agg.PortSpec{{Name: "eth1"}, {Name: "eth2"}}}
	if err := r.up(t.Context(), spec, origin{}); !errors.Is(err, errBusy) {
		t.Fatalf("got %v", err)
	}
	tells(t, listed(t, r, "bond0"), control.FindingNotTakenApart)
	w.destroy = nil
	w.mem.Refuse(func(string) error { return nil })
	if err := r.down(t.Context(), "bond0"); err != nil || len(stateFiles(r)) != 0 {
		t.Errorf("left %v, %v", stateFiles(r), err)
	}
}

func TestFailedRenameIsListedAndTriedAgain(t *testing.T) {
	r, w := newStubborn(t, "eth1", "eth2")
	a, err := r.get("bond0")
	if err != nil {
		t.Fatal(err)
	}
	w.rename = busy
	r.renamed(a, "lag0")
	tells(t, listed(t, r, "lag0"), control.FindingNotAdopted)
	r = again(t, r) // the next daemon has to finish it too
	tells(t, listed(t, r, "lag0"), control.FindingNotAdopted)
	w.rename = nil
	if adopted, _ := r.readopt(t.Context(), time.Now().Add(readoptMost)); len(adopted) != 1 {
		t.Fatalf("adopted %v", adopted)
	}
	if s := listed(t, r, "lag0"); s.Carrying != 1 {
		t.Errorf("got %+v", s)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "bond0.json")); err == nil {
		t.Error("the old state is left")
	}
}
