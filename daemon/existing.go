package daemon

import (
	"maps"
	"slices"

	"github.com/yokelag/yoke/agg"
)

// asFound adds to a spec what a device has already that its plane adopts, so that nothing
// of it changes that was not asked for. Ports are those that it has where none are named;
// a port that is not named among others, and another mode, are refused.
func (r *registry) asFound(spec agg.Spec) (agg.Spec, error) {
	if _, err := r.get(spec.Name); err == nil {
		return spec, nil // which is refused as such
	}
	found, there, err := r.world.Existing(spec.Name, spec.Config().Plane)
	if err != nil || !there {
		return spec, err
	}
	var problems agg.Problems
	if mode, ok := spec.Options["mode"]; ok && mode != found.Options["mode"] {
		problems = append(problems, &agg.Problem{Code: "other-mode", Object: spec.Name, Option: "mode", Value: mode,
			Rule: "the device is there already, in mode " + found.Options["mode"], Remedy: "leave it out, or `ip link delete " + spec.Name + "` before",
			Fixes: []agg.Fix{{Word: "mode", To: "mode=" + found.Options["mode"]}}})
	}
	out := spec.Clone()
	options := maps.Clone(found.Options)
	maps.Copy(options, out.Options)
	out.Options = options
	if len(out.Ports) == 0 && len(out.Match) == 0 {
		out.Ports = found.Clone().Ports
		return out, problems.Err()
	}
	for _, p := range found.Ports {
		i := out.Port(p.Name)
		if i == agg.NoPort {
			if len(out.Match) == 0 {
				problems = append(problems, &agg.Problem{Code: "port-not-named", Object: spec.Name,
					Rule: "has the port " + p.Name + " already, which is not named", Remedy: "name all of its ports, or none to take those that it has"})
			}
			continue
		}
		options := maps.Clone(p.Options)
		if options == nil {
			options = agg.Settings{}
		}
		maps.Copy(options, out.Ports[i].Options)
		if len(options) > 0 {
			out.Ports[i].Options = options
		}
	}
	slices.SortStableFunc(out.Ports, func(a, b agg.PortSpec) int { return standing(found, a.Name) - standing(found, b.Name) })
	return out, problems.Err()
}

// standing is where a port stands in a device, behind all where it is none of it.
func standing(found agg.Spec, name string) int {
	if i := found.Port(name); i != agg.NoPort {
		return i
	}
	return len(found.Ports)
}
