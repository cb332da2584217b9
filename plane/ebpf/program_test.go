package ebpf

import (
	"sync"
	"testing"

	"github.com/cilium/ebpf"
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

// Loads of a program share what was compiled, also at the same time, and each has its own
// constants.
func TestEachLoadHasItsConstants(t *testing.T) {
	nstest.Require(t, "root", "bpf", "veth", "bridge")
	r := newRig(t, Options{})
	l := r.plane.loader
	l.programs = NewPrograms() // with nothing read yet
	var tasks sync.WaitGroup
	for place := range 8 {
		tasks.Go(func() {
			p, err := l.load(yokeProgYokeRx, place)
			if err != nil {
				t.Error(err)
				return
			}
			defer p.Close()
			if cookie, at := constantsOf(t, p); cookie != l.cookie || at != uint32(place) {
				t.Errorf("place %d: the program has %#x and %d, want %#x", place, cookie, at, l.cookie)
			}
		})
	}
	tasks.Wait()
}

// constantsOf reads what a program in the kernel takes for constant.
func constantsOf(t *testing.T, p *ebpf.Program) (cookie, place uint32) {
	t.Helper()
	info, err := p.Info()
	if err != nil {
		t.Error(err)
		return 0, 0
	}
	ids, _ := info.MapIDs()
	for _, id := range ids {
		m, err := ebpf.NewMapFromID(id)
		if err != nil {
			t.Error(err)
			return 0, 0
		}
		defer m.Close()
		about, err := m.Info()
		if err != nil || !about.Frozen() {
			continue
		}
		var data []byte
		if err := m.Lookup(uint32(0), &data); err != nil {
			t.Error(err)
			return 0, 0
		}
		whole, err := loadYoke()
		if err != nil {
			t.Error(err)
			return 0, 0
		}
		read := func(name string) uint32 { return whole.ByteOrder.Uint32(data[whole.Variables[name].Offset:]) }
		return read(yokeVarCookie), read(yokeVarPlace)
	}
	t.Error("the program has no frozen map")
	return 0, 0
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
