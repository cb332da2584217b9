package ebpf

import "github.com/yokelag/yoke/agg"

// places gives every port of the aggregate a fixed place in the maps for as long as it
// is a port, so that programs and counters need not move when the order of ports does.
type places map[string]int

// with returns the places of the ports of p: those that are known keep theirs, new ones
// take free ones. Places of ports that are gone stay reserved until drop.
func (s places) with(p agg.Plan) places {
	next := places{}
	used := [agg.MaxPorts]bool{}
	for name, place := range s {
		next[name] = place
		used[place] = true
	}
	for _, port := range p.Ports {
		if _, known := next[port.Name]; known {
			continue
		}
		for place := range used {
			if !used[place] {
				used[place] = true
				next[port.Name] = place
				break
			}
		}
	}
	return next
}

// full reports whether some port of p has no place.
func (s places) full(p agg.Plan) bool {
	for _, port := range p.Ports {
		if _, ok := s[port.Name]; !ok {
			return true
		}
	}
	return false
}

// gone lists the names that are not ports of p.
func (s places) gone(p agg.Plan) []string {
	var out []string
	for name := range s {
		if p.PortByName(name) == agg.NoPort {
			out = append(out, name)
		}
	}
	return out
}

// unused lists the places that no port has.
func (s places) unused() []int {
	used := [agg.MaxPorts]bool{}
	for _, place := range s {
		used[place] = true
	}
	var out []int
	for place := range used {
		if !used[place] {
			out = append(out, place)
		}
	}
	return out
}
