package user_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// A port that left cannot be given back as it was: the plan is in force all the same, the
// plane says what is wrong, and tries again until it is right.
func TestPortThatCannotBeGivenBack(t *testing.T) {
	r := newRig(t)
	r.up(r.plan(0))
	if err := r.host.Run(r.plane.Close); err != nil {
		t.Fatal(err)
	}
	spoil(t, filepath.Join(r.stateDir, "bond0.ports.json"))
	r.open()
	p := r.plan(0)
	p.Ports, p.Table = p.Ports[:1], []agg.Choice{{First: 0, Second: agg.NoPort}}
	r.apply(p)
	r.apply(p) // whoever retries gets no error either
	f := r.facts()
	if len(f.Unreleased) != 1 || !strings.Contains(f.Unreleased[0], "p1") || !f.Published.Equal(p) {
		t.Errorf("unreleased: %q, in force: %+v", f.Unreleased, f.Published)
	}
	r.host.MustPing("192.0.2.2")
	r.host.Delete("p1") // nothing is to be restored of it
	if f := r.facts(); len(f.Unreleased) != 0 {
		t.Errorf("unreleased: %q", f.Unreleased)
	}
}

// spoil has a journal say that the port taken last had an MTU that it does not take.
func spoil(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const mtu = `"mtu": `
	at := bytes.LastIndex(b, []byte(mtu)) + len(mtu)
	b = slices.Concat(b[:at], []byte("10"), b[at+len("1500"):])
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
