package ebpf

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// cookieBase is mixed with the inner end's ifindex into the mark of an aggregate's
// frames, so that two aggregates of one namespace never take each other's.
const cookieBase = 0x796f6b65

// loader makes program instances for one aggregate.
type loader struct {
	programs *Programs
	tables   *yokeMaps
	cookie   uint32
	// blind: the guard that sees its port's carrier does not load here.
	blind bool
}

func newLoader(shared *Programs, t *yokeMaps, inner int, blind bool) *loader {
	return &loader{programs: shared, tables: t, cookie: cookieBase ^ uint32(inner)<<8, blind: blind}
}

// load makes the named program for the port in place.
func (l *loader) load(name string, place int) (*ebpf.Program, error) {
	spec, err := l.programs.program(name)
	if err != nil {
		return nil, err
	}
	if err := setConstants(spec, l.cookie, uint32(place)); err != nil {
		return nil, err
	}
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{
		MapReplacements: replacements(l.tables), Cache: l.programs.kernel(),
	})
	if err != nil {
		return nil, fmt.Errorf("load program %s: %w", name, err)
	}
	defer c.Close()
	return c.DetachProgram(name), nil
}

func setConstants(spec *ebpf.CollectionSpec, cookie, place uint32) error {
	if err := spec.Variables[yokeVarCookie].Set(cookie); err != nil {
		return fmt.Errorf("set the mark of frames: %w", err)
	}
	if err := spec.Variables[yokeVarPlace].Set(place); err != nil {
		return fmt.Errorf("set the place of a port: %w", err)
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
