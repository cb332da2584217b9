package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

func portsOf(s agg.Status) string {
	var names []string
	for _, p := range s.Ports {
		names = append(names, p.Name)
	}
	return strings.Join(names, " ")
}

// Interfaces that appear later are ports then, and those that go are not.
func TestMatchFollowsWhatAppearsAndGoes(t *testing.T) {
	r := newRig(t, "eth1", "eth2", "eth3")
	r.start()
	s := r.mustUp("bond0", "eth3", "match:path=dry-[12],prio=7", "match:path=dry-[45]")
	if got := portsOf(s); got != "eth3 eth1 eth2" || s.Spec.Ports[1].Options["prio"] != "7" {
		t.Fatalf("ports %s, spec %+v", got, s.Spec)
	}
	if !hasFinding(r.status("bond0"), "match-fits-nothing") {
		t.Errorf("nothing is said of the match that fits nothing: %+v", r.status("bond0").Findings)
	}
	r.w.mem.AddLink("late0")
	r.wait("late0 to be a port", func() bool { return portsOf(r.status("bond0")) == "eth3 eth1 eth2 late0" })
	if hasFinding(r.status("bond0"), "match-fits-nothing") {
		t.Errorf("findings: %+v", r.status("bond0").Findings)
	}
	r.w.mem.DeleteLink("eth2")
	r.wait("eth2 to be no port", func() bool { return portsOf(r.status("bond0")) == "eth3 eth1 late0" })
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r.w.mem.DeleteLink("late0")
	r.start()
	r.wait("late0 to be no port for the next daemon", func() bool { return portsOf(r.status("bond0")) == "eth3 eth1" })
	_, err := r.client.Remove(t.Context(), "bond0", "eth1")
	refused(t, err, "found-by-match", "path=dry-[12]")
	if _, err := r.client.Set(t.Context(), "bond0", control.SetRequest{Ports: map[string]map[string]string{"eth1": {"prio": "3"}}}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(r.status("bond0").Spec.Args(), " "); got != "eth3 eth1,prio=3 match:path=dry-[12],prio=7 match:path=dry-[45]" {
		t.Errorf("what was set by name: %s", got)
	}
}

func TestMatchOfTwoAggregatesIsRefused(t *testing.T) {
	r := newRig(t, "eth1", "eth2")
	r.start()
	r.mustUp("bond0", "match:path=dry-1")
	_, err := r.up("bond1", "match:driver=dry")
	refused(t, err, "match-of-two", "eth1", "driver=dry of bond1", "path=dry-1 of bond0")
	// A name is more than a match.
	if s := r.mustUp("bond1", "eth2"); s.Total != 1 {
		t.Errorf("%d ports", s.Total)
	}
	_, err = r.client.Apply(t.Context(), file("two.yaml", "aggregates:\n  bond2: {ports: [match: {driver: d*}]}\n  bond3: {ports: [match: {path: 'dry-[3-9]'}]}\n"))
	refused(t, err, "match-of-two", "eth1")
	if _, err := r.client.Down(t.Context(), "bond0"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.Apply(t.Context(), file("two.yaml", "aggregates:\n  bond2: {ports: [match: {driver: d*}]}\n  bond3: {ports: [match: {path: 'dry-[3-9]'}]}\n")); err != nil {
		t.Fatal(err)
	}
	if got := portsOf(r.status("bond2")) + "|" + portsOf(r.status("bond3")); got != "eth1|" {
		t.Errorf("ports: %s", got)
	}
	// Only now there is something that fits both.
	r.w.mem.AddLink("eth3")
	r.wait("both to say that eth3 fits two", func() bool {
		return hasFinding(r.status("bond2"), "match-not-taken") && hasFinding(r.status("bond3"), "match-not-taken")
	})
	if got := portsOf(r.status("bond2")) + "|" + portsOf(r.status("bond3")); got != "eth1|" {
		t.Errorf("ports: %s", got)
	}
}

// A file with a match is the same as what runs by it, also after it found something, and
// what is saved asks for the match and not for what it found.
func TestMatchInFiles(t *testing.T) {
	r := newRig(t, "eth1", "eth2")
	r.o.Config = t.TempDir()
	path := filepath.Join(r.o.Config, "bond0.yaml")
	text := "name: bond0\nports:\n  - eth2\n  - match:\n      permanent-mac: 02:00:00:00:00:01\n      driver: dry\n    prio: \"5\"\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	specs, err := loadConfig(r.o)
	if err != nil {
		t.Fatal(err)
	}
	r.start(specs...)
	s := r.status("bond0")
	if got := portsOf(s); got != "eth2 eth1" || hasFinding(s, "differs-from-file") {
		t.Errorf("ports %s, findings %+v", got, s.Findings)
	}
	d, err := r.client.Apply(t.Context(), control.ApplyRequest{DryRun: true})
	if err != nil || len(d.Changes) != 0 {
		t.Errorf("differs: %+v, %v", d, err)
	}
	saved, err := r.client.Save(t.Context(), "bond0", control.SaveRequest{Print: true})
	if err != nil || saved.Text != text {
		t.Errorf("saved:\n%s\n%v", saved.Text, err)
	}
	d, err = r.client.Apply(t.Context(), file("x.yaml", strings.Replace(text, "driver: dry", "driver: wet", 1)))
	if err != nil || !slices.ContainsFunc(d.Changes[0].Steps, func(s control.Step) bool {
		return s.Option == "match" && s.Effect == control.Hitless && strings.Contains(s.Text, "driver=dry,prio=5 -> match:")
	}) {
		t.Errorf("got %+v, %v", d, err)
	}
	if got := portsOf(r.status("bond0")); got != "eth2" {
		t.Errorf("ports %s", got)
	}
	_, err = parseConfig("f.yaml", "f", []byte("ports:\n  - match: {drivr: tun}\n"))
	refused(t, err, "invalid-match", "f.yaml:2:", "did you mean driver?")
}

func TestVirtioPlace(t *testing.T) {
	for full, want := range map[string]string{
		"/sys/devices/pci0000:00/0000:00:03.0/virtio0":              "pci-0000:00:03.0",
		"/sys/devices/pci0000:00/0000:00:1c.0/0000:02:00.1/virtio3": "pci-0000:02:00.1",
		"/sys/devices/platform/a000000.virtio_mmio/virtio3":         "virtio-virtio3",
		"": "virtio-virtio3",
	} {
		if got := virtioPlace(full, "virtio3"); got != want {
			t.Errorf("%s: %s, want %s", full, got, want)
		}
	}
}
