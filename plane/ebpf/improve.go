package ebpf

import (
	"maps"
	"slices"
)

// improve moves one of our filters to a link, if there is one that may be: one in a look,
// because everybody who wants to change or read network configuration waits for it.
func (p *Plane) improve(s sight) error {
	for _, h := range p.hooks() {
		done, err := p.attach.improve(h, s)
		if isGone(err) {
			continue // as in mendPort
		}
		if done || err != nil {
			return err
		}
	}
	return nil
}

// hooks lists where our programs are, those first that every frame meets.
func (p *Plane) hooks() []hook {
	var out []hook
	if !p.elsewhere {
		out = append(out, entryHook(p.device.Outer))
	}
	out = append(out, hopHook(p.device.Inner))
	for _, name := range slices.Sorted(maps.Keys(p.hooked)) {
		place, ifindex := p.places[name], p.hooked[name]
		out = append(out, guardHook(place, ifindex), rxHook(place, ifindex))
	}
	return out
}
