package ebpf

import (
	"errors"
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/yokelag/yoke/internal/nstest"
)

// What a program must know of the kernel is in it before it is loaded, so that no load
// of it reads the kernel's types again: that would be most of the work of taking a port.
func TestProgramsAskTheKernelOnce(t *testing.T) {
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		nstest.Missing(t, "kernel feature: BTF", err)
	}
	var cast *btf.Func // since Linux 6.2
	sees := kernel.TypeByName("bpf_rdonly_cast", &cast) == nil
	compiled, err := loadYoke()
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	shared := NewPrograms()
	for name, program := range compiled.Programs {
		q := newQuestions(program.Instructions)
		asked += len(q.places) + len(q.calls)
		got, err := shared.program(name)
		if name == yokeProgYokeGuard && !sees {
			if !errors.Is(err, btf.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		rest := newQuestions(got.Instructions)
		if len(rest.places) != 0 {
			t.Errorf("%s still asks for %d places", name, len(rest.places))
		}
		for _, call := range rest.calls {
			if call.Constant <= 0 || call.Reference() != "" {
				t.Errorf("%s still asks for function %q", name, call.Reference())
			}
		}
	}
	if asked == 0 {
		t.Error("no program asks anything: this tests nothing")
	}
}
