package daemon

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// serving is a server that nobody connects to and that watches no files: a test follows
// them when it wants to.
func serving(t *testing.T, r *rig) *server {
	t.Helper()
	reg, c := confirming(t, r)
	s := &server{registry: reg, files: newFiles(r.o, loadWanted(r.o)), confirmation: c, log: r.o.Log}
	c.undone = s.files.undo
	return s
}

// asked is a request with a body for an aggregate.
func asked(t *testing.T, name string, body any) *http.Request {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(string(text)))
	request.SetPathValue("name", name)
	return request
}

// What was undone stays undone until its file says something else, or somebody applies it.
func TestWhatWasUndoneStaysUndone(t *testing.T) {
	r := newRig(t, "eth1", "eth2", "eth3")
	r.o.Config = t.TempDir()
	s := serving(t, r)
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(r.o.Config, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	apply := func(confirm time.Duration) {
		t.Helper()
		out, err := s.apply(asked(t, "", control.ApplyRequest{ConfirmMS: confirm.Milliseconds()}))
		if d, ok := out.(control.Difference); err != nil || !ok || (d.Pending != nil) != (confirm > 0) {
			t.Fatalf("got %+v, %v", out, err)
		}
	}
	undo := func() {
		t.Helper()
		if _, err := s.confirmation.undo(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.follow(t.Context()) // as any file's change makes it do
	}
	is := func(when, want string) {
		t.Helper()
		got := "absent"
		if a, err := s.registry.get("bond0"); err == nil {
			got = strings.Join(a.engine.Wanted().Args(), " ")
		}
		list, err := s.statuses(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		told := hasFinding(agg.Status{Findings: list.Findings}, "undone")
		if got != want || told != (want == "absent") {
			t.Errorf("%s it is %s, told: %v; want %s", when, got, told, want)
		}
	}
	write("bond0.yaml", "miimon: 20\nports: [eth1, eth2]\n")
	apply(time.Hour)
	is("made", "miimon=20ms eth1 eth2")
	undo()
	is("undone", "absent")
	write("bond1.yaml", "ports: [eth3]\n")
	s.follow(t.Context())
	is("when another file is there", "absent")
	if _, err := s.registry.get("bond1"); err != nil {
		t.Errorf("the other file is not in force: %v", err)
	}
	write("bond0.yaml", "miimon: 30\nports: [eth1, eth2]\n")
	s.follow(t.Context())
	is("when its file is edited", "miimon=30ms eth1 eth2")
	write("bond0.yaml", "miimon: 20\nports: [eth1, eth2]\n")
	s.follow(t.Context())
	is("when its file is edited back", "miimon=20ms eth1 eth2")

	write("bond0.yaml", "miimon: 40\nports: [eth1, eth2]\n")
	apply(time.Hour)
	is("changed", "miimon=40ms eth1 eth2")
	undo()
	is("when the change is undone", "miimon=20ms eth1 eth2")
	apply(0)
	is("when somebody applies it", "miimon=40ms eth1 eth2")
	if err := s.registry.release(t.Context(), "bond0"); err != nil {
		t.Fatal(err)
	}
	s.follow(t.Context())
	is("of a file that is no more undone", "miimon=40ms eth1 eth2")
}
