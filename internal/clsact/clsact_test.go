package clsact

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
)

const show = "qdisc show dev eth1"

// tc runs a command; an underscore is a space within a word.
func tc(t *testing.T, ns *nstest.NS, words string) string {
	t.Helper()
	args := strings.Fields(words)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "_", " ")
	}
	return nstest.Command(t, ns, "tc", args...)
}

func TestAddAndDrop(t *testing.T) {
	nstest.Require(t, "root", "veth", "clsact", "program:tc")
	ns := nstest.New(t)
	ns.Veth("eth1", ns, "far")
	index := ns.Index("eth1")
	add := func(want bool) {
		t.Helper()
		if err := ns.Run(func() error {
			made, err := Add(index)
			if made != want {
				t.Errorf("made one: %v, want %v", made, want)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	drop := func(left bool) {
		t.Helper()
		var has bool
		err := ns.Run(func() (err error) {
			if err = DropUnused(index); err == nil {
				has, err = Has(index)
			}
			return err
		})
		if err != nil || has != left || strings.Contains(tc(t, ns, show), "clsact") != left {
			t.Errorf("there is one: %v, want %v; %v", has, left, err)
		}
	}
	for range 2 { // an interface that has lost its qdisc answers otherwise than a new one
		drop(false)
		add(true)
		add(false)
		drop(false)
	}
	for _, direction := range []string{"ingress", "egress"} {
		add(true)
		tc(t, ns, "filter add dev eth1 "+direction+" bpf bytecode 1,6_0_0_0")
		drop(true)
		tc(t, ns, "filter delete dev eth1 "+direction)
		drop(false)
	}
	ns.Delete("eth1")
	if err := ns.Run(func() error { return errors.Join(DropUnused(index), Check(index)) }); err != nil {
		t.Errorf("an interface that is gone: %v", err)
	}
}

// An ingress qdisc is refused and stays as it is; the remedy works.
func TestIngressQdiscIsRefused(t *testing.T) {
	nstest.Require(t, "root", "veth", "clsact", "program:tc")
	ns := nstest.New(t)
	ns.Veth("eth1", ns, "far")
	tc(t, ns, "qdisc add dev eth1 ingress")
	tc(t, ns, "filter add dev eth1 ingress bpf bytecode 1,6_0_0_0")
	before := tc(t, ns, show) + tc(t, ns, "filter show dev eth1 ingress")
	index := ns.Index("eth1")
	add := func() error { _, err := Add(index); return err }
	var p *agg.Problem
	if err := ns.Run(add); !errors.As(err, &p) || p.Code != "ingress-qdisc" || p.Object != "eth1" {
		t.Fatalf("got %v", err)
	}
	if err := ns.Run(func() error { return DropUnused(index) }); err != nil {
		t.Error(err)
	}
	if after := tc(t, ns, show) + tc(t, ns, "filter show dev eth1 ingress"); after != before {
		t.Errorf("before:\n%s\nnow:\n%s", before, after)
	}
	tc(t, ns, "filter delete dev eth1 ingress")
	if err := ns.Run(func() error { return DropUnused(index) }); err != nil || !strings.Contains(tc(t, ns, show), "ingress") {
		t.Errorf("an ingress qdisc without filters is not ours to remove: %v", err)
	}
	_, command, _ := strings.Cut(p.Remedy, "`")
	nstest.Command(t, ns, "sh", "-c", strings.TrimSuffix(command, "`"))
	if err := ns.Run(add); err != nil {
		t.Errorf("after the remedy: %v", err)
	}
}

// What cannot be looked at, here for want of descriptors, may be there. No test of this
// package runs beside another.
func TestDropThatCannotLookSaysSo(t *testing.T) {
	nstest.Require(t, "root", "veth", "clsact")
	ns := nstest.New(t)
	ns.Veth("eth1", ns, "far")
	index := ns.Index("eth1")
	var err error
	if limit := ns.Run(func() error {
		return nstest.WithoutDescriptors(func() { err = DropUnused(index) })
	}); limit != nil {
		t.Fatal(limit)
	}
	if !errors.Is(err, unix.EMFILE) {
		t.Errorf("got %v", err)
	}
}
