package ebpf

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
)

// A port that left cannot be given back as it was: the plan is in force all the same, the
// plane says what is wrong, and tries again until it is right.
func TestPortThatCannotBeGivenBack(t *testing.T) {
	nstest.Require(t, "root", "bpf", "clsact", "veth", "bridge")
	r := newRig(t, Options{})
	r.ready()
	r.close()
	spoil(t, r.options.journal())
	r.open()
	p := r.plan(0)
	p.Ports, p.Table = p.Ports[:1], []agg.Choice{{First: 0, Second: agg.NoPort}}
	r.apply(p)
	r.apply(p) // whoever retries gets no error either
	f := r.observe()
	if len(f.Unreleased) != 1 || !strings.Contains(f.Unreleased[0], "eth1") || !f.Published.Equal(p) {
		t.Errorf("unreleased: %q, in force: %+v", f.Unreleased, f.Published)
	}
	r.close()
	r.open() // nor does it keep the next daemon from the others
	if f := r.observe(); len(f.Unreleased) != 1 || !f.Published.Equal(p) {
		t.Errorf("after a start: unreleased: %q, in force: %+v", f.Unreleased, f.Published)
	}
	r.near.Delete("eth1") // nothing is to be restored of it
	if f := r.observe(); len(f.Unreleased) != 0 || len(r.plane.ports.Taken()) != 1 {
		t.Errorf("unreleased: %q, taken: %+v", f.Unreleased, r.plane.ports.Taken())
	}
	if err := r.near.Run(func() error { return r.plane.Apply(context.Background(), p) }); err != nil {
		t.Error(err)
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
