package ebpf

import (
	"fmt"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

// Programs are the compiled programs and maps, read once for all planes of a process,
// with what this kernel says of its own types and of the guard. Methods of planes that
// share one may run at the same time. It holds nothing that must be closed.
type Programs struct {
	mu sync.Mutex
	// whole is what was compiled, each the same with one program only.
	whole *ebpf.CollectionSpec
	each  map[string]*ebpf.CollectionSpec
	// types are the kernel's, decoded: some 75 ms of work and some 10 MB of memory, so
	// they are kept for as long as programs are being loaded.
	types  *btf.Cache
	forget *time.Timer
	// probed is set when it is known whether the guard sees its device here.
	probed, blind bool
}

// keepTypes is how long the kernel's types are kept after the last program was loaded.
const keepTypes = 5 * time.Second

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
		s.each[name] = only(whole.Copy(), name)
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

// kernel returns the kernel's types, for use at once.
func (s *Programs) kernel() *btf.Cache {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.types == nil {
		s.types = btf.NewCache()
		s.forget = time.AfterFunc(keepTypes, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.types = nil
		})
	}
	s.forget.Reset(keepTypes)
	return s.types
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
