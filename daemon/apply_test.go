package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/engine"
)

func file(path, text string) control.ApplyRequest {
	return control.ApplyRequest{Files: []control.ConfigFile{{Path: path, Text: text}}}
}

// What was not confirmed is undone by the daemon that is there when the time is over, with
// an aggregate that the change made and one that it changed.
func TestUnconfirmedIsUndoneByTheNextDaemon(t *testing.T) {
	r := newRig(t, "eth1", "eth2", "eth3")
	r.start()
	r.mustUp("bond0", "miimon=20", "eth1", "eth2")
	request := file("two.yaml", "aggregates:\n  bond0: {miimon: 70, ports: [eth1]}\n  bond1: {ports: [eth2, eth3]}\n")
	request.ConfirmMS = time.Hour.Milliseconds()
	d, err := r.client.Apply(t.Context(), request)
	if err != nil || !d.Applied || d.Pending == nil || len(d.Changes) != 2 {
		t.Fatalf("got %+v, %v", d, err)
	}
	if s := r.status("bond1"); s.Total != 2 || !hasFinding(s, "unconfirmed") {
		t.Errorf("got %+v", s)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	// The hour is over while no daemon runs.
	path := filepath.Join(r.o.StateDir, confirmName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin := strings.Index(string(text), `"deadline":`) + len(`"deadline":`)
	end := begin + strings.IndexByte(string(text[begin:]), ',')
	if err := os.WriteFile(path, []byte(string(text[:begin])+"1"+string(text[end:])), 0o600); err != nil {
		t.Fatal(err)
	}
	r.start()
	r.wait("everything to be back", func() bool {
		l, err := r.client.List(t.Context())
		return err == nil && len(l.Aggregates) == 1 && strings.Join(l.Aggregates[0].Spec.Args(), " ") == "miimon=20ms eth1 eth2"
	})
	r.wait("it to be forgotten", func() bool { _, err := os.Stat(path); return errors.Is(err, os.ErrNotExist) })
}

func hasFinding(s agg.Status, code string) bool {
	return slices.ContainsFunc(s.Findings, func(f agg.Finding) bool { return f.Code == code })
}

// choosy is a world whose planes refuse every plan of some aggregates. How often the others
// are applied is nobody's business: a switch to another port is, again, when it has ended.
type choosy struct {
	world
	refuses func(spec agg.Spec) bool
}

func (w choosy) OpenPlane(ctx context.Context, plane string, spec agg.Spec) (engine.Plane, error) {
	p, err := w.world.OpenPlane(ctx, plane, spec)
	if err == nil && w.refuses(spec) {
		return refusing{p, new(bool)}, nil
	}
	return p, err
}

// checking counts how often ports are checked.
type checking struct {
	world
	mu    sync.Mutex
	ports map[string]int
}

func (w *checking) CheckPort(aggregate, port string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ports[port]++
	return w.world.CheckPort(aggregate, port)
}

// checked is how often each port was since it was asked last.
func (w *checking) checked() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	was := w.ports
	w.ports = map[string]int{}
	return was
}

// A port is checked before the first change is made, once; one that is free only later,
// when it is. A command by itself checks its own.
func TestApplyChecksAPortOnce(t *testing.T) {
	r := newRig(t, "eth1", "eth2", "eth3", "eth4")
	w := &checking{world: r.w, ports: map[string]int{}}
	r.as = w
	r.start()
	apply := func(text string, want map[string]int) {
		t.Helper()
		request := file("f.yaml", "aggregates:\n"+text)
		request.Rebuild = true
		if _, err := r.client.Apply(t.Context(), request); err != nil {
			t.Fatal(err)
		}
		if got := w.checked(); !maps.Equal(got, want) {
			t.Errorf("%s: checked %v, want %v", text, got, want)
		}
	}
	apply("  bond0: {ports: [eth1, eth2]}\n", map[string]int{"eth1": 1, "eth2": 1})
	apply("  bond0: {ports: [eth1]}\n  bond1: {ports: [eth2, eth3]}\n", map[string]int{"eth3": 2, "eth2": 1})
	apply("  bond1: {mode: balance-xor, ports: [eth2, eth3]}\n", map[string]int{"eth2": 1, "eth3": 1})
	r.mustUp("bond2", "eth4")
	if got := w.checked(); !maps.Equal(got, map[string]int{"eth4": 1}) {
		t.Errorf("a command: checked %v", got)
	}
}

// A failure in the middle takes back what was made before it.
func TestApplyIsAllOrNothing(t *testing.T) {
	r := newRig(t, "eth1", "eth2", "eth3")
	r.as = choosy{r.w, func(spec agg.Spec) bool { return spec.Name == "bond1" }}
	r.start()
	r.mustUp("bond0", "eth1", "eth2")
	before := strings.Join(r.status("bond0").Spec.Args(), " ")
	_, err := r.client.Apply(t.Context(), file("f.yaml", "aggregates:\n  bond0: {primary: eth2, ports: [eth1, eth2]}\n  bond1: {ports: [eth3]}\n"))
	if err == nil {
		t.Fatal("it was applied")
	}
	l, err := r.client.List(t.Context())
	if err != nil || len(l.Aggregates) != 1 || strings.Join(l.Aggregates[0].Spec.Args(), " ") != before {
		t.Errorf("got %+v, %v", l, err)
	}
	_, err = r.client.Apply(t.Context(), file("f.yaml", "name: bond0\nmode: balance-xor\nports: [eth1, eth2]\n"))
	refused(t, err, "needs-rebuild", "yoke apply --rebuild")
	_, err = r.client.Apply(t.Context(), file("f.yaml", "name: bond2\nports: [eth1]\n"))
	refused(t, err, "port-busy", "yoke remove bond0 eth1")
}

// An aggregate that is made anew keeps the address that its neighbours know it by, also
// where that failed and it is again what it was; one that is asked for it gets.
func TestRebuildKeepsTheAddress(t *testing.T) {
	r := newRig(t, "eth1", "eth2")
	r.as = choosy{r.w, func(spec agg.Spec) bool { return spec.Options["mode"] == "broadcast" }}
	r.start()
	before := r.mustUp("bond0", "eth1", "eth2").Device.MAC
	rebuild := func(text string) error {
		request := file("f.yaml", "name: bond0\n"+text)
		request.Rebuild = true
		_, err := r.client.Apply(t.Context(), request)
		return err
	}
	if err := rebuild("ports: [eth2, eth1]\n"); err != nil {
		t.Fatal(err)
	}
	if err := rebuild("mode: broadcast\nports: [eth2, eth1]\n"); err == nil {
		t.Fatal("it was applied")
	}
	if s := r.status("bond0"); s.Device.MAC != before || s.Mode != "active-backup" {
		t.Errorf("after a failure it is %s with %v, and had %v", s.Mode, s.Device.MAC, before)
	}
	if err := rebuild("mode: balance-xor\nports: [eth2, eth1]\n"); err != nil {
		t.Fatal(err)
	}
	if got := r.status("bond0").Device.MAC; got != before {
		t.Errorf("made anew it has %v, and had %v", got, before)
	}
	for _, want := range []string{"02:00:00:00:77:01", "02:00:00:00:77:02"} {
		if err := rebuild("mac: " + want + "\nports: [eth2, eth1]\n"); err != nil {
			t.Fatal(err)
		}
		if got := r.status("bond0").Device.MAC; got.String() != want {
			t.Errorf("it has %v, and %s was asked for", got, want)
		}
	}
}

// A file is put in force when it is whole; half of one changes nothing.
func TestHalfAFileChangesNothing(t *testing.T) {
	r := newRig(t, "eth1", "eth2")
	r.o.Config = t.TempDir()
	path := filepath.Join(r.o.Config, "bond0.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.start()
	write("miimon: 20\nports: [eth1, eth2]\n")
	r.wait("the file to be in force", func() bool {
		_, err := r.client.Status(t.Context(), "bond0")
		return err == nil
	})
	write("miimon: 30\nports: [eth1, et")
	r.wait("the fault to be told", func() bool {
		l, err := r.client.List(t.Context())
		return err == nil && slices.ContainsFunc(l.Findings, func(f agg.Finding) bool { return strings.Contains(f.Text, "bond0.yaml:2:") })
	})
	if got := strings.Join(r.status("bond0").Spec.Args(), " "); got != "miimon=20ms eth1 eth2" {
		t.Errorf("half a file made it %s", got)
	}
	write("mode: balance-xor\nports: [eth1, eth2]\n")
	r.wait("it to be told that this needs a rebuild", func() bool { return hasFinding(r.status("bond0"), "differs-from-file") })
	if got := r.status("bond0").Mode; got != "active-backup" {
		t.Errorf("an edited file rebuilt it as %s", got)
	}
	if d, err := r.client.Apply(t.Context(), control.ApplyRequest{Rebuild: true}); err != nil || !d.Applied || r.status("bond0").Mode != "balance-xor" {
		t.Errorf("got %+v, %v", d, err)
	}
}

// A thousand aggregates in a file of which one differs.
func TestApplyOneOfAThousand(t *testing.T) {
	const n = 1000
	var links []string
	text := func(miimon int) string {
		var b strings.Builder
		b.WriteString("aggregates:\n")
		for i := range n {
			m := 100
			if i == n/2 {
				m = miimon
			}
			fmt.Fprintf(&b, "  b%d: {miimon: %d, ports: [p%d]}\n", i, m, i)
		}
		return b.String()
	}
	for i := range n {
		links = append(links, fmt.Sprintf("p%d", i))
	}
	r := newRig(t, links...)
	r.start()
	begin := time.Now()
	if d, err := r.client.Apply(t.Context(), file("all.yaml", text(100))); err != nil || len(d.Changes) != n {
		t.Fatalf("%d changes, %v", len(d.Changes), err)
	}
	t.Logf("made %d in %v", n, time.Since(begin))
	begin = time.Now()
	d, err := r.client.Apply(t.Context(), file("all.yaml", text(50)))
	if err != nil || len(d.Changes) != 1 || d.Unchanged != n-1 || d.Changes[0].Steps[0].Effect != control.Hitless {
		t.Fatalf("got %+v, %v", d, err)
	}
	t.Logf("changed one of %d in %v", n, time.Since(begin))
}

func TestEventsOfSeveralResume(t *testing.T) {
	for text, want := range map[string]map[string]uint64{
		"": {}, "0": {}, "41": {"bond0": 41}, "bond0=41,bond1=7": {"bond0": 41, "bond1": 7},
	} {
		got, err := parseSince(text, "bond0")
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"41", "x=y", "bond0=-1", "bond0"} {
		_, err := parseSince(text, "")
		refused(t, err, control.CodeBadRequest, "--since bond0=41,bond1=7")
	}
}
