package daemon

import (
	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// optionValues lists what is in force, from the spec that the engine has.
func optionValues(spec agg.Spec) control.Options {
	out := control.Options{Version: control.Version, Aggregate: spec.Name}
	for _, o := range agg.Options() {
		if o.Built && o.Scope&agg.OfAggregate != 0 && o.OnPlane(spec.Config().Plane) {
			out.Values = append(out.Values, valueOf(o, "", spec.Options, nil))
		}
	}
	for _, p := range spec.Ports {
		for _, o := range agg.Options() {
			if o.Built && o.Scope&agg.OfPort != 0 {
				out.Values = append(out.Values, valueOf(o, p.Name, p.Options, spec.Options))
			}
		}
	}
	return out
}

// valueOf is the port's own value, else the aggregate's for options of both, else the
// default.
func valueOf(o agg.Option, port string, own, fallback agg.Settings) control.OptionValue {
	v := control.OptionValue{Port: port, Name: o.Name, Value: o.Default}
	if text, ok := own[o.Name]; ok {
		v.Value, v.Set = text, true
	} else if text, ok := fallback[o.Name]; ok {
		v.Value = text
	}
	return v
}
