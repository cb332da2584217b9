package ebpf

import "fmt"

// memory is what must be remembered of ports beside the journal, across daemons, in a
// pinned map.
type memory struct{ tables *yokeMaps }

// of returns what is remembered of the port in place.
func (m *memory) of(place int) (t yokeTaken, err error) {
	if err := m.tables.YokeTaken.Lookup(uint32(place), &t); err != nil {
		return t, fmt.Errorf("read what is remembered of a port: %w", err)
	}
	return t, nil
}

func (m *memory) update(place int, change func(*yokeTaken)) error {
	t, err := m.of(place)
	if err != nil {
		return err
	}
	change(&t)
	if err := m.tables.YokeTaken.Put(uint32(place), t); err != nil {
		return fmt.Errorf("remember of a port: %w", err)
	}
	return nil
}
