package ebpf

import (
	"fmt"
	"slices"
	"sync"

	"github.com/cilium/ebpf"

	"github.com/yokelag/yoke/agg"
)

// Programs are the compiled programs and maps, read once for all planes of a process,
// with what this kernel says of its own types and of the guard. Methods of planes that
// share one may run at the same time. It holds nothing that must be closed.
type Programs struct {
	mu sync.Mutex
	// whole is what was compiled, each its programs with what they must know of this kernel.
	whole *ebpf.CollectionSpec
	each  map[string]*ebpf.ProgramSpec
	// probed is set when it is known whether the guard sees its device here.
	probed, blind bool
}

// NewPrograms returns programs that are read when they are first needed.
func NewPrograms() *Programs { return &Programs{each: map[string]*ebpf.ProgramSpec{}} }

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

// program returns one compiled program, which has what it must know of this kernel. It is
// the same for all: who loads it changes a copy.
func (s *Programs) program(name string) (*ebpf.ProgramSpec, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.each[name]; known != nil {
		return known, nil
	}
	whole, err := s.read()
	if err != nil {
		return nil, err
	}
	one := whole.Programs[name].Copy()
	if err := resolve(one); err != nil {
		return nil, fmt.Errorf("load program %s: %w", name, err)
	}
	s.each[name] = one
	return one, nil
}

// constants describes the map of constants, by its name in programs. It is made for each
// load, so it is without the types that only people would see.
func (s *Programs) constants(cookie, place uint32) (name string, m *ebpf.MapSpec, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	whole, err := s.read()
	if err != nil {
		return "", nil, err
	}
	name = whole.Variables[yokeVarCookie].SectionName
	m = whole.Maps[name].Copy()
	m.Key, m.Value = nil, nil
	compiled, ok := m.Contents[0].Value.([]byte)
	if !ok {
		return "", nil, fmt.Errorf("the compiled constants are %T", m.Contents[0].Value)
	}
	data := slices.Clone(compiled)
	for v, value := range map[string]uint32{yokeVarCookie: cookie, yokeVarPlace: place, yokeVarPauseNs: uint32(agg.Pause)} {
		whole.ByteOrder.PutUint32(data[whole.Variables[v].Offset:], value)
	}
	m.Contents = []ebpf.MapKV{{Key: uint32(0), Value: data}}
	return name, m, nil
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
