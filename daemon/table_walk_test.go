package daemon

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/plane/bonding"
	"github.com/yokelag/yoke/plane/ebpf"
	"github.com/yokelag/yoke/plane/mem"
	"github.com/yokelag/yoke/plane/user"
	"github.com/yokelag/yoke/policy"
)

// Every row of the options table, with every value that it lists, works on some plane,
// or is refused by name with what to do instead.
func TestEveryOptionWorksOrIsRefusedByName(t *testing.T) {
	for _, o := range agg.Options() {
		for _, value := range valuesOf(o) {
			err := tryOption(o, value)
			var problem *agg.Problem
			switch {
			case err == nil && !o.Built:
				t.Errorf("%s=%s is taken, and the table says that it is not built", o.Name, value)
			case err != nil && (!errors.As(err, &problem) || problem.Option != o.Name || problem.Remedy == ""):
				t.Errorf("%s=%s: %v", o.Name, value, err)
			case err != nil && problem.Code != "not-built" && problem.Code != "elsewhere":
				t.Errorf("%s=%s is refused as %s: %v", o.Name, value, problem.Code, err)
			}
		}
	}
}

// valuesOf are all words of an enumeration, and something valid of every other kind.
func valuesOf(o agg.Option) []string {
	if len(o.Values) > 0 {
		var out []string
		for _, v := range o.Values {
			out = append(out, v.Text)
		}
		return out
	}
	switch o.Kind {
	case agg.KindBool:
		return []string{"on", "off"}
	case agg.KindInt:
		if o.Default == "" {
			return []string{"1"}
		}
		return []string{o.Default}
	case agg.KindName:
		return []string{"eth1"}
	case agg.KindMAC:
		return []string{"02:00:00:00:00:07"}
	default:
		return []string{o.Default}
	}
}

// tryOption plans an aggregate of two ports that has the option in a mode that takes it.
// It is nil where a plane does what the plan asks for.
func tryOption(o agg.Option, value string) error {
	s := agg.Spec{Name: "bond0", Ports: []agg.PortSpec{{Name: "eth1"}, {Name: "eth2"}}}
	if o.Name != "mode" {
		if mode := builtMode(o); mode != "" {
			s.Options = agg.Settings{"mode": mode}
		}
	}
	driver := onlyOn(o, value, "bonding") || onlyOn(*modeOption(), s.Options["mode"], "bonding")
	if driver {
		_ = s.Options.Set(agg.OfAggregate, "plane", "bonding")
	}
	to, scope := &s.Options, agg.OfAggregate
	if o.Scope&agg.OfAggregate == 0 {
		to, scope = &s.Ports[0].Options, agg.OfPort
	}
	if err := to.Set(scope, o.Name, value); err != nil {
		return err
	}
	if err := s.Validate(); err != nil {
		return err
	}
	if driver {
		return bonding.Fit(s)
	}
	var in policy.Input
	for i, p := range s.Ports {
		in.Ports = append(in.Ports, policy.PortInput{
			Link: agg.LinkFacts{Name: p.Name, Index: i + 2, Present: true}, Watch: policy.Verdict{State: policy.Up},
			LACP: policy.Agreement{Receives: true, Sends: true},
		})
	}
	in.Carrier = true
	plan, _, _ := policy.Plan(s.Config(), in)
	return somePlaneTakes(plan)
}

func modeOption() *agg.Option {
	o, _ := agg.Lookup("mode", agg.OfAggregate)
	return o
}

// onlyOn reports whether only that plane has an option with a value.
func onlyOn(o agg.Option, value, plane string) bool {
	if slices.Equal(o.Planes, []string{plane}) {
		return true
	}
	return slices.ContainsFunc(o.Values, func(v agg.EnumValue) bool { return v.Text == value && slices.Equal(v.Planes, []string{plane}) })
}

// builtMode is a mode that works and takes the option.
func builtMode(o agg.Option) string {
	for _, m := range o.Modes {
		built := slices.ContainsFunc(modeOption().Values, func(v agg.EnumValue) bool { return v.Text == m.String() && !v.NotBuilt })
		if built {
			return m.String()
		}
	}
	return ""
}

func somePlaneTakes(plan agg.Plan) error {
	var refused []string
	for _, c := range []agg.Capability{ebpf.Capability(), user.Capability(), mem.Capability()} {
		hashes := plan.Select == agg.SelectBuckets || plan.Select == agg.SelectModulo
		if !plan.Blocked && slices.Contains(c.Selectors, plan.Select) && (!hashes || slices.Contains(c.Hashes, plan.Hash.Kind())) {
			return nil
		}
		refused = append(refused, c.Plane)
	}
	return errors.New("no plane of " + strings.Join(refused, ", ") + " does it")
}
