package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// checkNew refuses a spec that cannot become an aggregate, before anything changes. Of ports
// that were checked it looks only whose they are.
func (r *registry) checkNew(ctx context.Context, spec agg.Spec, checked bool) error {
	if err := spec.Validate(); err != nil {
		return err
	}
	if a, err := r.get(spec.Name); err == nil {
		before, err := a.engine.Spec(ctx)
		return errors.Join(err, duplicate(before, spec))
	}
	if b := r.brokenOne(spec.Name); b != nil {
		return b.problem()
	}
	if before, claimed := r.claims[spec.Name]; claimed {
		return duplicate(before, spec)
	}
	if reserved(spec.Name) {
		return reservedName(spec.Name)
	}
	if err := r.world.CheckName(spec.Name, spec.Config().Plane); err != nil {
		return r.withFreeName(err, spec.Name)
	}
	return r.checkPorts(spec.Name, spec.Ports, checked)
}

// withFreeName adds to the refusal of a name the first bondN that would be taken.
func (r *registry) withFreeName(err error, name string) error {
	var p *agg.Problem
	if !errors.As(err, &p) {
		return err
	}
	for n := range agg.MaxPorts {
		free := fmt.Sprintf("bond%d", n)
		if _, err := r.get(free); err != nil && r.world.CheckName(free, "auto") == nil {
			p.Fixes = []agg.Fix{{Word: name, To: free}}
			break
		}
	}
	return err
}

// checkChange refuses a change that cannot work, before anything changes.
func (r *registry) checkChange(before, after agg.Spec) error {
	unfit := after.Validate()
	if fixed := checkWhen(before, after); len(fixed) > 0 {
		if unfit != nil { // what is fixed comes first, and the same words in `yoke up` would not do either
			for _, p := range fixed {
				p.Remedy = ""
			}
			fixed = append(fixed, control.ProblemsOf(unfit)...)
		}
		return fixed.Err()
	}
	if unfit != nil {
		return inOtherMode(after, unfit)
	}
	var fresh []agg.PortSpec
	for _, p := range after.Ports {
		if before.Port(p.Name) == agg.NoPort {
			fresh = append(fresh, p)
		}
	}
	return r.checkPorts(after.Name, fresh, false)
}

// checkWhen refuses changes of options that are chosen once.
func checkWhen(before, after agg.Spec) agg.Problems {
	var out agg.Problems
	for _, o := range agg.Options() {
		was, is := before.Options[o.Name], after.Options[o.Name]
		if o.Scope&agg.OfAggregate == 0 || was == is {
			continue
		}
		switch {
		case o.When == agg.AtCreation:
			out = append(out, &agg.Problem{Code: "only-at-creation", Object: after.Name, Option: o.Name, Value: is,
				Rule: "is chosen when the aggregate is made", Remedy: remake(after)})
		case o.When == agg.NoPorts && len(before.Ports) > 0:
			out = append(out, &agg.Problem{Code: "has-ports", Object: after.Name, Option: o.Name, Value: is,
				Rule: "may change only while there are no ports", Remedy: remake(after)})
		}
	}
	return out
}

// remake is the command that gets the same with another start.
func remake(spec agg.Spec) string {
	var text strings.Builder
	text.WriteString("yoke down " + spec.Name + " && yoke up " + spec.Name)
	for _, word := range spec.Args() {
		text.WriteString(" " + word)
	}
	return "with an interruption `" + text.String() + "`"
}

// checkPorts refuses ports that are somebody else's, all at once: an aggregate's, and where
// they were not checked yet, the kernel's.
func (r *registry) checkPorts(name string, ports []agg.PortSpec, checked bool) error {
	owners := r.owners()
	var out agg.Problems
	for _, p := range ports {
		if owner, ok := owners[p.Name]; ok && owner != name {
			out = append(out, portTaken(p.Name, owner, name))
			continue
		}
		if _, err := r.get(p.Name); err == nil || r.brokenOne(p.Name) != nil {
			out = append(out, &agg.Problem{Code: "port-busy", Object: p.Name, Rule: "is an aggregate itself",
				Remedy: "its ports can be named instead after `yoke down " + p.Name + "`"})
			continue
		}
		if checked {
			continue
		}
		if err := r.world.CheckPort(name, p.Name); err != nil {
			var problem *agg.Problem
			if !errors.As(err, &problem) {
				return fmt.Errorf("check port %s: %w", p.Name, err)
			}
			out = append(out, problem)
		}
	}
	return out.Err()
}

// owners tells whose every port is, also of aggregates that are being made.
func (r *registry) owners() map[string]string {
	out := map[string]string{}
	for name, spec := range r.claims {
		for _, p := range spec.Ports {
			out[p.Name] = name
		}
	}
	for _, b := range r.brokenOnes() {
		for _, p := range b.file.Engine.Spec.Ports {
			out[p.Name] = b.name()
		}
	}
	all, _ := r.list()
	for _, a := range all {
		for _, p := range a.engine.Wanted().Ports {
			out[p.Name] = a.name
		}
	}
	return out
}

// applySet writes a request's values into a spec, reporting every problem.
func applySet(spec *agg.Spec, request control.SetRequest) error {
	out := setAll(&spec.Options, agg.OfAggregate, spec.Name, request.Set)
	for _, port := range slices.Sorted(maps.Keys(request.Ports)) {
		i := spec.Port(port)
		if i == agg.NoPort {
			out = append(out, noSuchPort(spec.Name, port, *spec))
			continue
		}
		spec.Ports[i].Matched = "" // what is said of it by name holds from now on
		out = append(out, setAll(&spec.Ports[i].Options, agg.OfPort, port, request.Ports[port])...)
	}
	return out.Err()
}

func setAll(into *agg.Settings, scope agg.Scope, object string, values map[string]string) agg.Problems {
	var out agg.Problems
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if o, ok := agg.Lookup(key, scope); ok && values[key] == "" {
			delete(*into, o.Name)
			continue
		}
		if err := into.Set(scope, key, values[key]); err != nil {
			if p, ok := errors.AsType[*agg.Problem](err); ok {
				copied := *p
				copied.Object = object
				out = append(out, &copied)
			}
		}
	}
	return out
}

// maxAggregates is how many a daemon is tested with.
const maxAggregates = 1000

// checkRoom refuses one aggregate too many. The caller holds change.
func (r *registry) checkRoom(name string) error {
	if r.countWithClaims() < maxAggregates {
		return nil
	}
	return &agg.Problem{Code: "too-many-aggregates", Object: name, Rule: fmt.Sprintf("would be one more than the %d of a daemon", maxAggregates),
		Remedy: "`yoke down NAME` of another; or a second yoked, in a network namespace of its own"}
}
