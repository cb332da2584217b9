package ebpf

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"github.com/yokelag/yoke/internal/nstest"
)

// The pins of a namespace that ended go, those of a living one stay.
func TestDropDead(t *testing.T) {
	nstest.Require(t, "root", "veth", "bpf", "bpffs", "tcx")
	root, err := os.MkdirTemp(bpfMount, "yoke-dead-") //nolint:usetesting // pins are on a BPF file system only
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.SchedCLS, License: "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, -1), asm.Return()}})
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	ns := nstest.New(t)
	dir := func(name string) string { return filepath.Join(root, "1", name) }
	for _, name := range []string{"gone", "there", "empty"} {
		if err := os.MkdirAll(dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if name == "empty" {
			continue
		}
		ns.Veth(name, ns, "far-"+name)
		ns.Do(func() { err = links{dir: dir(name)}.attach(hook{name: "hop", ifindex: ns.Index(name)}, prog) })
		if err != nil {
			t.Fatal(err)
		}
	}
	ns.Delete("gone")
	if err := DropDead(root); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"gone": false, "there": true, "empty": true} {
		if _, err := os.Stat(dir(name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
