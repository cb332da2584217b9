package ebpf

import (
	"testing"

	"github.com/cilium/ebpf/asm"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
)

// A plan that needs larger programs is refused when they do not load, and asks for them
// again the next time.
func TestLargerProgramsAreAskedForAgain(t *testing.T) {
	nstest.Require(t, "root", "bpf", "clsact", "veth", "bridge")
	r := newRig(t, Options{})
	r.ready()
	shared := r.plane.loader.programs
	r.plane.loader.programs = withBroken(t, yokeProgYokeHopWhole)
	plan := r.plan(0)
	plan.Select, plan.Hash = agg.SelectModulo, agg.HashLayer23
	plan.Table = []agg.Choice{{First: 0, Second: 1}, {First: 1, Second: 0}}
	plan.Ports[1].Transmit, plan.Ports[1].Receive = true, true
	r.refused(plan)
	r.near.MustPing(there) // by the plan before
	r.plane.loader.programs = shared
	r.apply(plan)
	var name string
	r.near.Do(func() {
		p, err := chainOf(r.plane.device.Inner, true).ourProgram()
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		info, err := p.Info()
		if err != nil {
			t.Fatal(err)
		}
		name = info.Name
	})
	if name != yokeProgYokeHopWhole {
		t.Errorf("hop is %s", name)
	}
	r.near.MustPing(there)
}

// withBroken are the programs, one of which does not load.
func withBroken(t *testing.T, name string) *Programs {
	t.Helper()
	whole, err := loadYoke()
	if err != nil {
		t.Fatal(err)
	}
	whole.Programs[name].Instructions = asm.Instructions{asm.Return()} // without a result
	out := NewPrograms()
	out.whole = whole
	return out
}
