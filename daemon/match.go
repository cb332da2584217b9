package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

const (
	// matchRetry is how often an interface that fits and cannot be taken is tried again.
	matchRetry = 2 * time.Second
	// matchEvery is how often matches are looked at when nothing happens.
	matchEvery = 10 * time.Second
)

// resolve is the spec with the ports that its matches find now. others are all aggregates
// that matter beside it. An interface that another aggregate names is that one's; what
// fits the matches of two is a problem.
func (r *registry) resolve(spec agg.Spec, others map[string]agg.Spec) (agg.Spec, agg.Problems, error) {
	if len(spec.Match) == 0 {
		return spec.Named(), nil, nil
	}
	links, err := r.world.Interfaces(asksDriver(spec, others))
	if err != nil {
		return spec, nil, fmt.Errorf("look for what matches: %w", err)
	}
	var found []agg.Identity
	var problems agg.Problems
	for _, l := range links {
		if _, fits := spec.Finder(l); !fits || spec.Named().Port(l.Name) != agg.NoPort {
			continue
		}
		free, problem := claimedBy(l, spec, others)
		if problem != nil {
			problems = append(problems, problem)
		} else if free {
			found = append(found, l)
		}
	}
	return spec.WithMatched(found), problems, nil
}

func asksDriver(spec agg.Spec, others map[string]agg.Spec) bool {
	asks := func(s agg.Spec) bool {
		return slices.ContainsFunc(s.Match, func(m agg.MatchSpec) bool { return m.Match.Driver != "" })
	}
	for _, s := range others {
		if asks(s) {
			return true
		}
	}
	return asks(spec)
}

// claimedBy tells whether an interface that fits spec is free of the other aggregates: not
// one itself, and not named. One that fits two is a problem, unless spec has it already.
func claimedBy(l agg.Identity, spec agg.Spec, others map[string]agg.Spec) (free bool, problem *agg.Problem) {
	for _, name := range slices.Sorted(maps.Keys(others)) {
		other := others[name]
		if name == spec.Name {
			continue
		}
		p := other.Port(l.Name)
		if name == l.Name || p != agg.NoPort && other.Ports[p].Matched == "" {
			return false, nil
		}
		if m, fits := other.Finder(l); fits && spec.Port(l.Name) == agg.NoPort {
			mine, _ := spec.Finder(l)
			return false, &agg.Problem{Code: "match-of-two", Object: l.Name,
				Rule:   fmt.Sprintf("fits %s of %s and %s of %s", mine.Match, spec.Name, m.Match, name),
				Remedy: "name it as a port of one of them, or match by more"}
		}
	}
	return true, nil
}

// everybody is what is wanted of every aggregate, those that are being made included. The
// caller holds change.
func (r *registry) everybody() map[string]agg.Spec {
	out := maps.Clone(r.claims)
	for _, b := range r.brokenOnes() {
		out[b.name()] = b.file.Engine.Spec
	}
	all, _ := r.list()
	for _, a := range all {
		out[a.name] = a.engine.Wanted()
	}
	return out
}

// resolved is resolve for a new aggregate, which is refused where an interface fits two.
// The caller holds change.
func (r *registry) resolved(spec agg.Spec) (agg.Spec, error) {
	if err := spec.Validate(); err != nil {
		return spec, err
	}
	if len(spec.Match) == 0 { // others need not be looked at, of whom there may be a thousand
		return spec.Named(), nil
	}
	out, problems, err := r.resolve(spec, r.everybody())
	return out, errors.Join(err, problems.Err())
}

// resolvedNow is resolved for who does not hold change.
func (r *registry) resolvedNow(spec agg.Spec) (agg.Spec, error) {
	r.change.Lock()
	defer r.change.Unlock()
	return r.resolved(spec)
}

// fitting is resolve for an aggregate that runs: what cannot be taken is left out, and
// told. The caller holds change.
func (r *registry) fitting(spec agg.Spec) (agg.Spec, agg.Problems, error) {
	if len(spec.Match) == 0 {
		return spec.Named(), nil, nil
	}
	after, left, err := r.resolve(spec, r.everybody())
	if err != nil {
		return spec, nil, err
	}
	var fresh agg.Problems
	after.Ports = slices.DeleteFunc(after.Ports, func(p agg.PortSpec) bool {
		if p.Matched == "" || spec.Port(p.Name) != agg.NoPort {
			return false
		}
		err := r.checkPorts(spec.Name, []agg.PortSpec{p}, false)
		if err != nil {
			fresh = append(fresh, control.ProblemsOf(err)...)
		}
		return err != nil
	})
	if more := len(after.Ports) - agg.MaxPorts; more > 0 {
		fresh = append(fresh, &agg.Problem{Code: "too-many-ports", Object: spec.Name,
			Rule: fmt.Sprintf("has %d interfaces that fit too many; an aggregate has at most %d ports", more, agg.MaxPorts), Remedy: "match by more"})
		after.Ports = after.Ports[:agg.MaxPorts]
	}
	return after, append(left, fresh...), nil
}

// resolveWanted finds the ports of all that files ask for. What running aggregates have
// found is kept in mind, as they were asked to.
func (r *registry) resolveWanted(w wanted) (wanted, error) {
	if !slices.ContainsFunc(w.specs, func(s agg.Spec) bool { return len(s.Match) > 0 }) {
		return w, nil
	}
	r.change.Lock()
	defer r.change.Unlock()
	everybody := r.everybody()
	running := maps.Clone(everybody)
	for _, s := range w.specs {
		everybody[s.Name] = s
	}
	var problems agg.Problems
	specs := slices.Clone(w.specs)
	for i, s := range specs {
		s = withFound(s, running[s.Name])
		resolved, more, err := r.resolve(s, everybody)
		if err != nil {
			return w, err
		}
		specs[i], problems = resolved, append(problems, more...)
	}
	w.specs = specs
	return w, problems.Err()
}

// withFound is the spec of a file with what the running aggregate's matches have found.
func withFound(file, running agg.Spec) agg.Spec {
	out := file.Named()
	for _, p := range running.Ports {
		if p.Matched != "" && out.Port(p.Name) == agg.NoPort {
			out.Ports = append(out.Ports, p)
		}
	}
	return out
}

// followLinks gives matches their ports as interfaces come and go, until the function that
// it returns is called.
func (r *registry) followLinks(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	wake, unsubscribe := r.world.AnyLink()
	go func() {
		defer close(ended)
		defer unsubscribe()
		settle := time.NewTimer(0)
		defer settle.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-wake:
				settle.Reset(quiet) // who made it may be about to give it its name
			case <-settle.C:
				if next := r.rematch(context.WithoutCancel(ctx)); next > 0 {
					settle.Reset(next)
				}
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// rematch looks at every aggregate with matches and returns when to do so again, 0 where
// there are none.
func (r *registry) rematch(ctx context.Context) (next time.Duration) {
	all, _ := r.list()
	for _, a := range all {
		if len(a.engine.Wanted().Match) == 0 {
			continue
		}
		left, err := r.rematchOne(ctx, a)
		if err != nil {
			r.log.Warn("what matches is not taken", "aggregate", a.name, "error", err)
		}
		if err != nil || left {
			next = matchRetry
		} else if next == 0 {
			next = matchEvery
		}
	}
	return next
}

func (r *registry) rematchOne(ctx context.Context, a *aggregate) (left bool, err error) {
	r.change.Lock()
	defer r.change.Unlock()
	if !r.still(a) {
		return false, nil
	}
	before, err := a.engine.Spec(ctx)
	if err != nil {
		return false, err
	}
	after, problems, err := r.fitting(before)
	if err != nil {
		return false, err
	}
	a.left.Store(&problems)
	if _, differs := difference("", &before, &after); !differs {
		return len(problems) > 0, nil
	}
	if err := r.checkChange(before, after); err != nil {
		return false, err
	}
	return len(problems) > 0, a.engine.Update(ctx, after)
}

// matchFindings say what matches found nothing, and what fits and could not be taken.
func (r *registry) matchFindings(running agg.Spec) []agg.Finding {
	var out []agg.Finding
	for _, m := range running.Match {
		text := m.Match.String()
		if !slices.ContainsFunc(running.Ports, func(p agg.PortSpec) bool { return p.Matched == text }) {
			out = append(out, agg.Finding{Code: "match-fits-nothing", Severity: "warning", Text: "no interface fits " + text + " now; one that appears is taken",
				Remedy: "`ip -d link`, `ethtool -i NAME` and `ethtool -P NAME` tell what there is"})
		}
	}
	a, err := r.get(running.Name)
	if err != nil {
		return out
	}
	if left := a.left.Load(); left != nil {
		for _, p := range *left {
			out = append(out, agg.Finding{Code: "match-not-taken", Severity: "warning", Text: "fits and is not taken: " + withoutRemedy(p), Remedy: p.Remedy})
		}
	}
	return out
}

// foundByMatch refuses to remove a port that would be found again at once.
func foundByMatch(name string, p agg.PortSpec) *agg.Problem {
	return &agg.Problem{Code: "found-by-match", Object: p.Name, Rule: "is a port of " + name + " because it fits " + p.Matched + ", and would be one again at once",
		Remedy: "change the match in the file of " + name + ", then `yoke apply`"}
}
