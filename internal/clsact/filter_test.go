package clsact

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/vishvananda/netlink"

	"github.com/yokelag/yoke/internal/nstest"
)

// same compares what stands on an interface with what the netlink library reads there.
func same(t *testing.T, ns *nstest.NS, index int) (found []Filter) {
	t.Helper()
	for _, ingress := range []bool{true, false} {
		var got []Filter
		var want []netlink.Filter
		err := ns.Run(func() (err error) {
			got, err = Filters(index, ingress)
			return err
		})
		if err == nil {
			want, err = ns.Handle().FilterList(&netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: index}}, Parent(ingress))
		}
		if err != nil || len(got) != len(want) {
			t.Fatalf("ingress %v: %+v, want %v; %v", ingress, got, want, err)
		}
		for i, w := range want {
			as := Filter{Kind: w.Type(), Priority: w.Attrs().Priority, Handle: w.Attrs().Handle}
			if b, ok := w.(*netlink.BpfFilter); ok {
				as.Name, as.Program = b.Name, uint32(b.Id)
			}
			if got[i] != as {
				t.Errorf("ingress %v: %+v, want %+v", ingress, got[i], as)
			}
		}
		found = append(found, got...)
	}
	return found
}

func TestFiltersComeAndGo(t *testing.T) {
	nstest.Require(t, "root", "veth", "clsact", "bpf", "program:tc")
	ns := nstest.New(t)
	ns.Veth("eth1", ns, "far")
	index := ns.Index("eth1")
	pass, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.SchedCLS, License: "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()}})
	if err != nil {
		t.Fatal(err)
	}
	defer pass.Close()
	do := func(f func() error) {
		t.Helper()
		if err := ns.Run(f); err != nil {
			t.Fatal(err)
		}
	}
	do(func() error { _, err := Add(index); return err })
	if got := same(t, ns, index); got != nil {
		t.Errorf("at first: %+v", got)
	}
	tc(t, ns, "filter add dev eth1 ingress prio 7 bpf da bytecode 1,6_0_0_0")
	tc(t, ns, "filter add dev eth1 egress prio 3 protocol ip bpf bytecode 1,6_0_0_0")
	u32 := "filter add dev eth1 ingress prio 9 protocol ip u32 match ip dst 203.0.113.99/32"
	if out, err := ns.Output("tc", strings.Fields(u32)...); err != nil {
		nstest.Missing(t, "kernel feature: the u32 filter", fmt.Errorf("%w: %s", err, out))
	}
	ours := Filter{Kind: "bpf", Handle: 0x1234, Priority: 0xffff, Name: "yoke_test"}
	for _, ingress := range []bool{true, false} {
		do(func() error { return ours.Put(index, ingress, pass.FD()) })
		do(func() error { return ours.Put(index, ingress, pass.FD()) }) // in its own place
	}
	got := same(t, ns, index)
	if len(got) != 5 || got[0].Kind != "bpf" || got[1].Kind != "u32" {
		t.Fatalf("with ours: %+v", got)
	}
	if f := got[2]; f.Name != ours.Name || f.Priority != ours.Priority || f.Handle != ours.Handle || f.Program == 0 {
		t.Errorf("ours: %+v", f)
	}
	for _, ingress := range []bool{true, false} {
		do(func() error { return ours.Drop(index, ingress) })
		if err := ns.Run(func() error { return ours.Drop(index, ingress) }); !IsGone(err) {
			t.Errorf("removed twice: %v", err)
		}
	}
	if got := same(t, ns, index); len(got) != 3 {
		t.Errorf("without ours: %+v", got)
	}
	ns.Delete("eth1")
	if err := ns.Run(func() error { list, err := Filters(index, true); return errors.Join(err, some(list)) }); err != nil && !IsGone(err) {
		t.Errorf("of an interface that is gone: %v", err)
	}
}

// some is an error where there are filters.
func some(list []Filter) error {
	if len(list) == 0 {
		return nil
	}
	return errors.New("there are filters")
}
