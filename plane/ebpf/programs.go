package ebpf

import (
	"fmt"
	"sync"

	"github.com/cilium/ebpf"
)

// Programs are the compiled programs and maps, read once for all planes of a process,
// with what this kernel says of its own types and of the guard. Methods of planes that
// share one may run at the same time. It holds nothing that must be closed.
type Programs struct {
	mu sync.Mutex
	// whole is what was compiled, each the same with one program only, which has what it
	// must know of this kernel.
	whole *ebpf.CollectionSpec
	each  map[string]*ebpf.CollectionSpec
	// probed is set when it is known whether the guard sees its device here.
	probed, blind bool
}

// NewPrograms returns programs that are read when they are first needed.
func NewPrograms() *Programs { return &Programs{each: map[string]*ebpf.CollectionSpec{}} }

// tables returns a copy of the compiled maps.
func (s *Programs) tables() (*ebpf.CollectionSpec, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	whole, err := s.read()
	if err != nil {
		return nil, err
	}
	out := &ebpf.CollectionSpec{Maps: map[string]*ebpf.MapSpec{}, ByteOrder: whole.ByteOrder, Types: whole.Types}
	for name, m := range whole.Maps {
		if isTable(m.Name) {
			out.Maps[name] = m.Copy()
		}
	}
	return out, nil
}

// program returns a copy of one compiled program with its constants.
func (s *Programs) program(name string) (*ebpf.CollectionSpec, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.each[name]; !known {
		whole, err := s.read()
		if err != nil {
			return nil, err
		}
		one := only(whole.Copy(), name)
		if err := resolve(one.Programs[name]); err != nil {
			return nil, fmt.Errorf("load program %s: %w", name, err)
		}
		s.each[name] = one
	}
	return s.each[name].Copy(), nil
}

func (s *Programs) read() (*ebpf.CollectionSpec, error) {
	if s.whole == nil {
		spec, err := loadYoke()
		if err != nil {
			return nil, fmt.Errorf("read the compiled programs: %w", err)
		}
		s.whole = spec
	}
	return s.whole, nil
}

// only leaves out the other programs and the maps that no program knows.
func only(spec *ebpf.CollectionSpec, name string) *ebpf.CollectionSpec {
	for other := range spec.Programs {
		if other != name {
			delete(spec.Programs, other)
		}
	}
	delete(spec.Maps, yokeMapYokeLayout)
	delete(spec.Maps, yokeMapYokeTaken)
	return spec
}

// sees reports whether the guard that sees its device loads here, asking probe once.
func (s *Programs) sees(probe func() bool) bool {
	s.mu.Lock()
	probed, blind := s.probed, s.blind
	s.mu.Unlock()
	if probed {
		return !blind
	}
	blind = !probe()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.probed, s.blind = true, blind
	return !blind
}
