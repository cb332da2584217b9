package policy

import (
	"maps"
	"slices"
)

// Renamed is the state after a port's interface got another name.
func (s State) Renamed(from, to string) State {
	for _, name := range []*string{&s.Active, &s.Wish, &s.Primary, &s.Promoted} {
		*name = renamed(*name, from, to)
	}
	s.Speeds, s.Own = renamedKey(s.Speeds, from, to), renamedKey(s.Own, from, to)
	if s.Drain != nil {
		d := *s.Drain
		d.Held, d.Open = renamedValues(d.Held, from, to), slices.Clone(d.Open)
		for i := range d.Open {
			d.Open[i] = renamed(d.Open[i], from, to)
		}
		s.Drain = &d
	}
	return s
}

// Renamed are the moves after a port's interface got another name.
func (o Overlay) Renamed(from, to string) Overlay { return renamedValues(o, from, to) }

func renamed(name, from, to string) string {
	if name == from && name != "" {
		return to
	}
	return name
}

func renamedKey[V any](in map[string]V, from, to string) map[string]V {
	out := maps.Clone(in)
	if v, ok := out[from]; ok {
		delete(out, from)
		out[to] = v
	}
	return out
}

func renamedValues[M ~map[int]string](in M, from, to string) M {
	out := maps.Clone(in)
	for k, v := range out {
		out[k] = renamed(v, from, to)
	}
	return out
}
