package bonding

import (
	"maps"
	"slices"

	"github.com/yokelag/yoke/agg"
)

// besides are options of an aggregate that the plane serves without an attribute of the
// driver, with the only value that it can serve, empty where all.
func besides() map[string]string {
	return map[string]string{"plane": "", "mac": "", "mtu": "", "watch": "", "hash_map": "modulo", "fast_path": "off", "sticky": "off"}
}

// Fit refuses what of a spec the bonding driver cannot do on any kernel, as
// [agg.Problems].
func Fit(spec agg.Spec) error {
	var out agg.Problems
	for _, key := range slices.Sorted(maps.Keys(spec.Options)) {
		out = append(out, fit(spec.Name, spec.Name, key, spec.Options[key], Attributes())...)
	}
	for _, p := range spec.Ports {
		for _, key := range slices.Sorted(maps.Keys(p.Options)) {
			out = append(out, fit(spec.Name, p.Name, key, p.Options[key], PortAttributes())...)
		}
	}
	return out.Err()
}

// fit judges one option of the aggregate or of a port of it.
func fit(aggregate, object, key, value string, list []Attribute) agg.Problems {
	if only, ok := besides()[key]; ok && (only == "" || only == value) {
		return nil
	}
	a, ok := named(list, key)
	switch {
	case !ok:
		return agg.Problems{{
			Code: "not-supported", Object: object, Option: key, Value: value,
			Rule: nothing(key, aggregate == object), Remedy: "leave it out, or take plane=ebpf",
			Fixes: []agg.Fix{{Word: key}},
		}}
	case key == "mode" && value == agg.Random.String():
		return nil // balance-rr with packets_per_slave=0
	}
	_, err := a.Kernel(object, value, func(string) int { return 0 })
	if p, ok := err.(*agg.Problem); ok { //nolint:errorlint // Kernel wraps nothing
		return agg.Problems{p}
	}
	return nil
}

// nothing says what the driver lacks; some of what it has is the bond's and not a port's.
func nothing(key string, ofAggregate bool) string {
	if _, ok := named(Attributes(), key); ok && !ofAggregate {
		return "the bonding driver has it for all ports alike"
	}
	return "the bonding driver has nothing like it"
}
