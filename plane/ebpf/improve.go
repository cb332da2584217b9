package ebpf

import (
	"maps"
	"slices"
	"time"

	"github.com/yokelag/yoke/internal/bootclock"
)

// calmEnough is how long no port was hooked before filters become links. Ports that come
// and go do so in bursts, and each link of one aggregate would hold up the ports of all.
const calmEnough = 3 * time.Second

// improve moves one of our filters to a link, if there is one that may be: one in a look,
// because everybody who wants to change or read network configuration waits for it.
func (p *Plane) improve(s sight) error {
	if bootclock.Now() < p.hookedAt+int64(p.calm) {
		return nil
	}
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
