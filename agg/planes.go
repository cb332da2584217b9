package agg

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// on reports whether a plane that is asked for has an option or value that only some have.
func on(planes []string, plane string) bool {
	return len(planes) == 0 || slices.Contains(planes, plane)
}

// OnPlane reports whether a plane, as option plane has it, has the option.
func (o *Option) OnPlane(plane string) bool { return on(o.Planes, plane) }

// checkPlanes refuses options and values that the plane does not have. Where the plane is
// chosen by Yoke it is one of those that have what no plane has for itself.
func (s Spec) checkPlanes() Problems {
	plane := s.Config().Plane
	out := checkPlane(s.Name, s.Options, OfAggregate, plane)
	for _, p := range s.Ports {
		out = append(out, checkPlane(p.Name, p.Options, OfPort, plane)...)
	}
	for _, m := range s.Match {
		out = append(out, checkPlane(m.Match.String(), m.Options, OfPort, plane)...)
	}
	return out
}

func checkPlane(object string, settings Settings, scope Scope, plane string) Problems {
	var out Problems
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		o, ok := Lookup(key, scope)
		if !ok {
			continue
		}
		planes := o.Planes
		if canonical, err := o.Canonical(settings[key]); err == nil && len(planes) == 0 {
			v, _ := o.value(canonical)
			planes = v.Planes
		}
		if on(planes, plane) {
			continue
		}
		out = append(out, &Problem{
			Code: "wrong-plane", Object: object, Option: o.Name, Value: settings[key],
			Rule:   fmt.Sprintf("needs plane=%s, and plane=%s is asked for", strings.Join(planes, " or "), plane),
			Remedy: "leave it out, or take plane=" + planes[0],
			Fixes:  []Fix{{Word: o.Name}, {"plane", "plane=" + planes[0]}},
		})
	}
	return out
}

// onlyBonding names the planes of what only the bonding driver does.
func onlyBonding() []string { return []string{"bonding"} }
