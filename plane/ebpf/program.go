package ebpf

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cilium/ebpf"

	"github.com/yokelag/yoke/agg"
)

// cookieBase is mixed with the inner end's ifindex into the mark of an aggregate's
// frames, so that two aggregates of one namespace never take each other's.
const cookieBase = 0x796f6b65

// loader makes program instances for one aggregate.
type loader struct {
	programs *Programs
	tables   *yokeMaps
	cookie   uint32
	reach    reach
	// blind: the guard that sees its port's carrier does not load here.
	blind bool
}

func newLoader(shared *Programs, t *yokeMaps, inner int, blind bool) *loader {
	return &loader{programs: shared, tables: t, cookie: cookieBase ^ uint32(inner)<<8, blind: blind}
}

// load makes the named program for the port in place. Of what the library would do for a
// collection, with each of its maps and constants, only what this program needs is done:
// each port and each aggregate has programs of its own.
func (l *loader) load(name string, place int) (*ebpf.Program, error) {
	shared, err := l.programs.program(name)
	if err != nil {
		return nil, err
	}
	section, constants, err := l.constants(place)
	if err != nil {
		return nil, fmt.Errorf("load program %s: %w", name, err)
	}
	defer constants.Close() // the program keeps it
	maps := tablesByName(l.tables)
	maps[section] = constants
	own := *shared
	own.Instructions = slices.Clone(shared.Instructions)
	for i := range own.Instructions {
		ins := &own.Instructions[i]
		if !ins.IsLoadFromMap() {
			continue
		}
		m := maps[ins.Reference()]
		if m == nil {
			return nil, fmt.Errorf("load program %s: there is no map %q", name, ins.Reference())
		}
		if err := ins.AssociateMap(m); err != nil {
			return nil, fmt.Errorf("load program %s: map %s: %w", name, ins.Reference(), err)
		}
	}
	p, err := ebpf.NewProgram(&own)
	if err != nil {
		return nil, fmt.Errorf("load program %s: %w", name, err)
	}
	return p, nil
}

// constants makes the map of those of a program, which the kernel takes for constant since
// it is frozen.
func (l *loader) constants(place int) (name string, m *ebpf.Map, err error) {
	name, spec, err := l.programs.constants(l.cookie, uint32(place))
	if err != nil {
		return "", nil, err
	}
	if m, err = ebpf.NewMap(spec); err != nil {
		return "", nil, fmt.Errorf("make the map of constants: %w", err)
	}
	return name, m, nil
}

// reach is what plans may ask of entry and hop: programs that can do less load in less time.
type reach int

const (
	fixed  reach = iota // one port for all
	common              // and buckets and moduli of layer2 and layer3+4
	whole               // everything
)

// entry and hop name the program of that reach.
func (r reach) entry() string {
	return [...]string{yokeProgYokeEntryFixed, yokeProgYokeEntryCommon, yokeProgYokeEntryWhole}[r]
}

func (r reach) hop() string {
	return [...]string{yokeProgYokeHopFixed, yokeProgYokeHopCommon, yokeProgYokeHopWhole}[r]
}

// reachOf is the least that does what a plan says.
func reachOf(p agg.Plan) reach {
	frequent := p.Hash == agg.HashLayer2 || p.Hash == agg.HashLayer34
	switch {
	case flags(p)&yokeFlagAPART != 0:
		return whole
	case p.Select == agg.SelectFixed:
		return fixed
	case frequent && (p.Select == agg.SelectBuckets || p.Select == agg.SelectModulo):
		return common
	default:
		return whole
	}
}

// ready makes sure that entry and hop can do what a plan asks for, before it is in force.
// What they can do once they keep.
func (p *Plane) ready(plan agg.Plan) error {
	before, wanted := p.loader.reach, reachOf(plan)
	if wanted <= before {
		return nil
	}
	p.loader.reach = wanted
	if err := errors.Join(p.hookHop(), p.hookEntry()); err != nil {
		p.loader.reach = before // what is hooked may do no more than that
		return err
	}
	return nil
}

// guard makes the guard program that this kernel takes.
func (l *loader) guard(place int) (*ebpf.Program, error) {
	if l.blind {
		return l.load(yokeProgYokeGuardBlind, place)
	}
	return l.load(yokeProgYokeGuard, place)
}

// probeGuard finds out once whether the kernel lets a program see its device.
func (l *loader) probeGuard() {
	l.blind = !l.programs.sees(func() bool {
		p, err := l.load(yokeProgYokeGuard, anyPlace)
		if err == nil {
			p.Close()
		}
		return err == nil
	})
}
