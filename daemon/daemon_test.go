package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/engine"
	"github.com/yokelag/yoke/plane/mem"
)

// rig is a daemon in a dry world that outlives it, as a kernel does.
type rig struct {
	t      *testing.T
	w      *dryWorld
	o      Options
	client *control.Client
	stop   func() error
	// as is the world as the daemon sees it, w where nil.
	as world
}

func newRig(t *testing.T, links ...string) *rig {
	t.Helper()
	w, err := newDryWorld(links)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return &rig{t: t, w: w, o: Options{Socket: filepath.Join(dir, "yoke.sock"), StateDir: dir, Config: filepath.Join(dir, "none"), Log: slog.New(slog.DiscardHandler)}}
}

// start runs the daemon until the test ends or stop is called.
func (r *rig) start(specs ...agg.Spec) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	var w world = r.w
	if r.as != nil {
		w = r.as
	}
	go func() { done <- run(ctx, r.o, w, specs) }()
	r.client = control.NewClient(r.o.Socket)
	stopped := false
	r.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		r.client.Close()
		return <-done
	}
	r.t.Cleanup(func() {
		if err := r.stop(); err != nil {
			r.t.Error(err)
		}
	})
	r.wait("the daemon to answer", func() bool {
		select {
		case err := <-done:
			done <- err
			r.t.Fatalf("daemon ended: %v", err)
		default:
		}
		_, err := r.client.Daemon(context.Background())
		return err == nil
	})
}

func (r *rig) wait(what string, cond func() bool) {
	r.t.Helper()
	for end := time.Now().Add(20 * time.Second); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (r *rig) up(name string, args ...string) (agg.Status, error) {
	r.t.Helper()
	spec, err := agg.ParseArgs(name, args)
	if err != nil {
		r.t.Fatal(err)
	}
	list, err := r.client.Up(r.t.Context(), spec)
	if err != nil {
		return agg.Status{}, err
	}
	return list.Aggregates[0], nil
}

func (r *rig) mustUp(name string, args ...string) agg.Status {
	r.t.Helper()
	s, err := r.up(name, args...)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

func (r *rig) status(name string) agg.Status {
	r.t.Helper()
	list, err := r.client.Status(r.t.Context(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	return list.Aggregates[0]
}

// refused checks that err is a refusal with the code and ends with a remedy.
func refused(t *testing.T, err error, code string, parts ...string) {
	t.Helper()
	if !control.HasCode(err, code) {
		t.Fatalf("got %v, want code %s", err, code)
	}
	for _, p := range control.ProblemsOf(err) {
		if p.Remedy == "" {
			t.Errorf("no remedy: %v", p)
		}
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %q", err, part)
		}
	}
}

func TestUpStatusPullDown(t *testing.T) {
	r := newRig(t, "eth1", "eth2")
	r.start()
	s := r.mustUp("bond0", "eth1", "eth2")
	if s.Mode != "active-backup" || s.Active != "eth1" || s.Total != 2 || s.Plane != "mem" {
		t.Errorf("got %+v", s)
	}
	r.w.mem.SetCarrier("eth1", false)
	r.wait("eth2 to take over", func() bool { return r.status("bond0").Active == "eth2" })
	if got := (mem.Open(r.w.mem, "bond0")).Send(make([]byte, 60)); !slices.Equal(got, []string{"eth2"}) {
		t.Errorf("a frame left by %v", got)
	}
	if _, err := r.client.Down(t.Context(), "bond0"); err != nil {
		t.Fatal(err)
	}
	_, err := r.client.Status(t.Context(), "bond0")
	refused(t, err, control.CodeNotFound, "`yoke up bond0")
	if left, _ := filepath.Glob(filepath.Join(r.o.StateDir, "*.json*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRefusalsLeaveEverythingAsItWas(t *testing.T) {
	r := newRig(t, "eth1", "eth2", "eth3")
	r.start()
	r.mustUp("bond0", "eth1", "eth2")
	before := r.status("bond0")
	_, err := r.up("bond0", "eth3")
	refused(t, err, "duplicate-name", "yoke down bond0")
	_, err = r.up("bond1", "eth1", "eth9")
	refused(t, err, "port-busy", "yoke remove bond0 eth1")
	refused(t, err, "no-interface", "eth9")
	_, err = r.up("bond1", "bond0")
	refused(t, err, "port-busy", "is an aggregate itself")
	_, err = r.up("eth3", "eth1")
	refused(t, err, "duplicate-name", "ip link")
	_, err = r.up("bond2", "mode=balance-xor", "primary=eth3", "eth3")
	refused(t, err, "wrong-mode")
	_, err = r.up("an-aggregate-too-long", "eth3")
	refused2 := err
	if !control.HasCode(refused2, "invalid-name") {
		t.Errorf("got %v", refused2)
	}
	_, err = r.client.Set(t.Context(), "bond0", control.SetRequest{Set: map[string]string{"mode": "balance-xor"}})
	refused(t, err, "only-at-creation", "yoke down bond0 && yoke up bond0 mode=balance-xor eth1 eth2")
	_, err = r.client.Set(t.Context(), "bond0", control.SetRequest{Set: map[string]string{"lacp_rate": "fast"}})
	refused(t, err, "wrong-mode", "leave it out, or make the aggregate anew, with an interruption `yoke down bond0 && yoke up bond0 lacp_rate=fast mode=802.3ad eth1 eth2`")
	_, err = r.client.Set(t.Context(), "bond0", control.SetRequest{Set: map[string]string{"mimon": "3", "mtu": "1"}})
	refused(t, err, "unknown-option", "did you mean miimon?")
	_, err = r.client.Set(t.Context(), "bond0", control.SetRequest{Ports: map[string]map[string]string{"eth3": {"prio": "1"}}})
	refused(t, err, control.CodeNotFound, "`yoke add bond0 eth3`")
	_, err = r.client.Add(t.Context(), "bond0", []agg.PortSpec{{Name: "eth2"}})
	refused(t, err, "duplicate-port")
	_, err = r.client.Remove(t.Context(), "bond0", "eth3")
	refused(t, err, control.CodeNotFound)
	after := r.status("bond0")
	if after.Plan.Generation != before.Plan.Generation || !slices.Equal(after.Spec.Args(), before.Spec.Args()) {
		t.Errorf("before plan %d %v, after plan %d %v", before.Plan.Generation, before.Spec.Args(), after.Plan.Generation, after.Spec.Args())
	}
}

func TestFailedUpLeavesNothing(t *testing.T) {
	r := newRig(t, "eth1", "eth2")
	r.start()
	r.w.mem.Refuse(func(op string) error {
		if op == "apply" {
			return errors.New("no")
		}
		return nil
	})
	if _, err := r.up("bond0", "eth1"); err == nil {
		t.Fatal("up succeeded")
	}
	r.w.mem.Refuse(func(string) error { return nil })
	if left, _ := filepath.Glob(filepath.Join(r.o.StateDir, "*.json*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	r.mustUp("bond0", "eth1")
}

func TestSetReadsBack(t *testing.T) {
	r := newRig(t, "eth1", "eth2")
	r.start()
	r.mustUp("bond0", "eth1", "eth2")
	o, err := r.client.Set(t.Context(), "bond0", control.SetRequest{
		Set: map[string]string{"miimon": "50", "primary": "eth2"}, Ports: map[string]map[string]string{"eth1": {"prio": "7"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := []control.OptionValue{{Name: "miimon", Value: "50ms", Set: true}, {Name: "primary", Value: "eth2", Set: true}, {Port: "eth1", Name: "prio", Value: "7", Set: true}}
	for _, w := range want {
		if !slices.Contains(o.Values, w) {
			t.Errorf("%+v is missing in %+v", w, o.Values)
		}
	}
	if s := r.status("bond0"); s.Active != "eth2" {
		t.Errorf("active is %s", s.Active)
	}
	o, err = r.client.Set(t.Context(), "bond0", control.SetRequest{Set: map[string]string{"miimon": ""}})
	if err != nil || !slices.Contains(o.Values, control.OptionValue{Name: "miimon", Value: "10ms"}) {
		t.Errorf("got %+v, %v", o.Values, err)
	}
}

func TestAddAndRemove(t *testing.T) {
	r := newRig(t, "eth1", "eth2")
	r.start()
	r.mustUp("bond0", "eth1")
	if l, err := r.client.Add(t.Context(), "bond0", []agg.PortSpec{{Name: "eth2"}}); err != nil || l.Aggregates[0].Total != 2 {
		t.Fatalf("got %+v, %v", l, err)
	}
	if l, err := r.client.Remove(t.Context(), "bond0", "eth1"); err != nil || l.Aggregates[0].Active != "eth2" {
		t.Fatalf("got %+v, %v", l, err)
	}
	r.mustUp("bond1", "eth1")
}

// Several ports go together, or none does.
func TestRemoveIsAllOrNothing(t *testing.T) {
	r := newRig(t, "eth1", "eth2", "eth3")
	r.start()
	r.mustUp("bond0", "eth1", "eth2", "eth3")
	_, err := r.client.Remove(t.Context(), "bond0", "eth1", "eth9", "eth2")
	refused(t, err, control.CodeNotFound, "eth9")
	if s := r.status("bond0"); s.Total != 3 {
		t.Errorf("%d ports after a refusal", s.Total)
	}
	r.w.mem.Refuse(func(op string) error {
		if op == "apply" {
			return errors.New("no")
		}
		return nil
	})
	if _, err := r.client.Remove(t.Context(), "bond0", "eth1", "eth2"); err == nil {
		t.Error("removed although the plane refuses")
	}
	r.w.mem.Refuse(func(string) error { return nil })
	if s := r.status("bond0"); s.Total != 3 {
		t.Errorf("%d ports after a failure", s.Total)
	}
	if l, err := r.client.Remove(t.Context(), "bond0", "eth1", "eth3"); err != nil || l.Aggregates[0].Active != "eth2" {
		t.Errorf("got %+v, %v", l, err)
	}
}

func TestRestartAdopts(t *testing.T) {
	r := newRig(t, "eth1", "eth2")
	r.start()
	r.mustUp("bond0", "mode=balance-xor", "eth1", "eth2")
	before := r.status("bond0")
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	list, err := inspect(t.Context(), r.w, r.o.StateDir, "")
	if err != nil || len(list.Aggregates) != 1 || list.Aggregates[0].Daemon.Running || !strings.Contains(list.Aggregates[0].Daemon.Text, "no daemon for") {
		t.Errorf("got %+v, %v", list, err)
	}
	r.start()
	after := r.status("bond0")
	if after.Plan.Generation != before.Plan.Generation || !after.Plan.InForce || after.Device.MAC != before.Device.MAC {
		t.Errorf("before %+v, after %+v", before.Plan, after.Plan)
	}
}

func TestEditedFileWinsAndUneditedDoesNot(t *testing.T) {
	r := newRig(t, "eth1", "eth2")
	spec := agg.Spec{Name: "bond0", Ports: []agg.PortSpec{{Name: "eth1"}}}
	r.start(spec)
	if _, err := r.client.Add(t.Context(), "bond0", []agg.PortSpec{{Name: "eth2"}}); err != nil {
		t.Fatal(err)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r.start(spec)
	if got := r.status("bond0").Total; got != 2 {
		t.Errorf("%d ports; what a command added was lost", got)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	edited := spec.Clone()
	edited.Options = agg.Settings{"miimon": "70ms"}
	r.start(edited)
	if got := r.status("bond0"); got.Total != 1 || got.Spec.Options["miimon"] != "70ms" {
		t.Errorf("the edited file is not in force: %v", got.Spec.Args())
	}
}

func TestEventsResume(t *testing.T) {
	r := newRig(t, "eth1", "eth2")
	r.start()
	r.mustUp("bond0", "eth1", "eth2")
	var last uint64
	err := r.client.Events(t.Context(), control.EventsQuery{}, func(i control.StreamItem) error {
		last = i.Event.Seq
		return nil
	})
	if err != nil || last == 0 {
		t.Fatalf("last event is %d, %v", last, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := make(chan agg.Event, 64)
	go func() {
		defer close(got)
		_ = r.client.Events(ctx, control.EventsQuery{Aggregate: "bond0", Since: strconv.FormatUint(last, 10), Follow: true}, func(i control.StreamItem) error {
			got <- *i.Event
			return nil
		})
	}()
	r.w.mem.SetCarrier("eth1", false)
	e := <-got
	if e.Seq != last+1 || e.Aggregate != "bond0" {
		t.Errorf("got %+v after %d", e, last)
	}
}

func TestExplainAndReach(t *testing.T) {
	r := newRig(t, "eth1", "eth2")
	r.start()
	r.mustUp("bond0", "mode=balance-xor", "eth1", "eth2")
	for _, port := range []string{"eth1", "eth2"} {
		e, err := r.client.Explain(t.Context(), "bond0", control.ExplainRequest{Flow: "src=10.0.0.1,dst=10.0.0.2,proto=tcp,dport=443", Reach: port})
		if err != nil || e.Port != port {
			t.Fatalf("got %+v, %v", e, err)
		}
		again, err := r.client.Explain(t.Context(), "bond0", control.ExplainRequest{Flow: e.Flow})
		if err != nil || again.Port != port || again.Policy != "layer3+4" || again.Hash == "" {
			t.Errorf("got %+v, %v", again, err)
		}
	}
	_, err := r.client.Explain(t.Context(), "bond0", control.ExplainRequest{Flow: "from=10.0.0.1"})
	refused(t, err, "invalid-flow", "yoke explain bond0 --flow")
}

func TestOtherNamespaceIsRefused(t *testing.T) {
	r := newRig(t, "eth1")
	s := &server{about: control.Daemon{Namespace: 7, PID: 42, Socket: r.o.Socket}, log: r.o.Log}
	request := httptest.NewRequest(http.MethodGet, control.PathAggregates, nil)
	refused(t, s.checkNamespace(request), control.CodeBadRequest)
	request.Header.Set(control.NamespaceHeader, "8")
	refused(t, s.checkNamespace(request), control.CodeOtherNamespace, "nsenter --net=/proc/42/ns/net", "serves network namespace 7")
	request.Header.Set(control.NamespaceHeader, "7")
	if err := s.checkNamespace(request); err != nil {
		t.Error(err)
	}
	// What a client says is not believed where /proc tells otherwise.
	known := request.WithContext(context.WithValue(t.Context(), peerKey{}, os.Getpid()))
	refused(t, s.checkNamespace(known), control.CodeOtherNamespace)
}

func TestSecondDaemonIsRefused(t *testing.T) {
	r := newRig(t, "eth1")
	r.start()
	_, err := listen(r.o.Socket)
	refused(t, err, "already-served", "--socket DIR/yoke.sock")
	lock, err := lockState(r.o.StateDir, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	_, err = lockState(r.o.StateDir, 0)
	refused(t, err, "already-served", "--state-dir DIR")
}

func TestStaleSocketIsReplacedAndAFileIsNot(t *testing.T) {
	r := newRig(t, "eth1")
	r.start()
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r.start()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(path); err == nil {
		t.Error("a file was taken for a socket")
	}
}

func TestNewerStateIsRefusedByName(t *testing.T) {
	r := newRig(t, "eth1")
	path := filepath.Join(r.o.StateDir, "bond0.json")
	if err := os.WriteFile(path, []byte(`{"version": 9}`), 0o600); err != nil {
		t.Fatal(err)
	}
	strict := r.o
	strict.File = "bond1.yaml"
	refused(t, run(t.Context(), strict, r.w, nil), "newer-state", path, "version 9")
	leftOut(t, r, "newer-state", path)
}

// leftOut checks that the daemon serves all that it can read, and says what it cannot.
func leftOut(t *testing.T, r *rig, code, path string) {
	t.Helper()
	saved := engine.Saved{Version: engine.SavedVersion, Spec: agg.Spec{Name: "bond7", Ports: []agg.PortSpec{{Name: "eth1"}}}, Plane: "mem"}
	if err := newStore(r.o.StateDir, "bond7", r.w.bootID, r.w.namespace).Save(saved); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	offline, err := inspect(t.Context(), r.w, r.o.StateDir, "")
	if err != nil {
		t.Fatal(err)
	}
	r.start()
	online, err := r.client.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []control.StatusList{offline, online} {
		if len(list.Aggregates) != 1 || list.Aggregates[0].Name != "bond7" || len(list.Findings) != 1 || list.Findings[0].Code != "state-fault" ||
			list.Findings[0].Severity != "error" || !strings.Contains(list.Findings[0].Text, path) || list.Findings[0].Remedy == "" {
			t.Errorf("%s: got %+v", code, list)
		}
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the file was touched: %q, %v", after, err)
	}
}

// One unreadable state file must not stop the daemon.
func TestUnreadableStateIsLeftOut(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "cut": `{"version": 1, "engi`, "wrong": `{"version": 1, "engine": 7}`} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, "eth1")
			path := filepath.Join(r.o.StateDir, "bond0.json")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			strict := r.o
			strict.File = "bond1.yaml"
			refused(t, run(t.Context(), strict, r.w, nil), "bad-state", path)
			leftOut(t, r, "bad-state", path)
		})
	}
}

func TestOtherBootAndNamespace(t *testing.T) {
	r := newRig(t, "eth1")
	saved := engine.Saved{Version: engine.SavedVersion, Spec: agg.Spec{Name: "bond0"}, Plane: "mem"}
	if err := newStore(r.o.StateDir, "bond0", "another boot", r.w.namespace).Save(saved); err != nil {
		t.Fatal(err)
	}
	r.start()
	if l, err := r.client.List(t.Context()); err != nil || len(l.Aggregates) != 0 {
		t.Errorf("got %+v, %v", l, err)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if err := newStore(r.o.StateDir, "bond0", r.w.bootID, 1).Save(saved); err != nil {
		t.Fatal(err)
	}
	refused(t, run(t.Context(), r.o, r.w, nil), "other-namespace", "--state-dir DIR")
}
