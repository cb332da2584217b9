package ebpf

import (
	"fmt"
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
)

// ourPrefix begins the name of every program and filter of ours.
const ourPrefix = "yoke_"

// kinPrefix begins the names of Yoke's filters that belong to ports and not to a plane.
const kinPrefix = "yoke-"

func direction(ingress bool) string {
	if ingress {
		return "ingress"
	}
	return "egress"
}

// foreign lists what of others stands beside our programs.
func (p *Plane) foreign(d agg.DeviceFacts, s sight) []string {
	out := foreignOn(p.device.Inner, s)
	if d.Present && !d.Elsewhere {
		out = append(out, foreignOn(p.device.Outer, s)...)
	}
	for _, ifindex := range p.hooked {
		out = append(out, foreignOn(ifindex, s)...)
	}
	slices.Sort(out)
	return out
}

func foreignOn(ifindex int, s sight) []string {
	in, out := s.of(ifindex, true).others(), s.of(ifindex, false).others()
	all := slices.Concat(in, out)
	if len(all) == 0 {
		return nil
	}
	name := fmt.Sprintf("interface %d", ifindex)
	if l, err := iface.ByIndex(ifindex, iface.Here); err == nil {
		name = l.Name
	}
	for i := range all {
		all[i] = name + " " + all[i]
	}
	return all
}
