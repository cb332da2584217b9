package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/yokelag/yoke/agg"
)

// Rememberer are Links that follow a renamed interface also where an earlier process saw
// it last under the name.
type Rememberer interface {
	// Remember tells the ifindex that the named interface had.
	Remember(name string, index int)
}

// remember tells Links where the engine before saw the ports.
func (e *Engine) remember() {
	l, ok := e.w.Links.(Rememberer)
	if !ok {
		return
	}
	for name, p := range e.ports {
		if p.index != 0 {
			l.Remember(name, p.index)
		}
	}
}

// readLinks reads the ports. One that has another name now is known by that from then on,
// and one that somebody made a port of another device, or moved to another network
// namespace, is a port no more, as with bonding.
func (e *Engine) readLinks(ctx context.Context) ([]agg.LinkFacts, error) {
	var links []agg.LinkFacts
	var err error
	names := e.names()
	e.meanwhile(ctx, func() { links, err = e.w.Links.Read(ctx, names) })
	if err != nil || !e.followPorts(links) {
		return links, err
	}
	e.subscribe()
	e.save()
	return e.w.Links.Read(ctx, e.names())
}

// followPorts reports whether there are other ports than before.
func (e *Engine) followPorts(links []agg.LinkFacts) bool {
	followed := false
	for _, l := range links {
		switch {
		case l.RenamedTo != "" && e.spec.Port(l.RenamedTo) == agg.NoPort:
			e.renamePort(l.Name, l.RenamedTo)
		case l.Moved:
			e.losePort(l.Name, "moved", l.Name+" was moved to another network namespace")
		case l.Master != "" && l.Master != e.name:
			e.losePort(l.Name, "other-master", fmt.Sprintf("%s was made a port of %s", l.Name, l.Master))
		default:
			continue
		}
		followed = true
	}
	return followed
}

// renamePort makes what is known of a port that of its new name.
func (e *Engine) renamePort(from, to string) {
	spec := e.spec.Clone()
	spec.Ports[spec.Port(from)].Name = to
	for key, value := range spec.Options {
		if value == from && namesPort(key) {
			spec.Options[key] = to
		}
	}
	e.config.Ports = slices.Clone(e.config.Ports)
	for i := range e.config.Ports {
		if e.config.Ports[i].Name == from {
			e.config.Ports[i].Name = to
		}
	}
	e.links = slices.Clone(e.links)
	for i := range e.links {
		if e.links[i].Name == from {
			e.links[i].Name = to
		}
	}
	e.ports[to] = e.ports[from]
	delete(e.ports, from)
	e.lag.rename(from, to)
	e.policy, e.moves = e.policy.Renamed(from, to), e.moves.Renamed(from, to)
	e.adopt(spec)
	e.record(agg.Event{Kind: "port", Cause: "renamed", Port: to, From: from, To: to, Text: from + " was renamed to " + to})
}

// losePort gives up a port that somebody else has taken.
func (e *Engine) losePort(name, cause, text string) {
	spec := e.spec.Clone()
	i := spec.Port(name)
	spec.Ports = slices.Delete(spec.Ports, i, i+1)
	for key, value := range spec.Options {
		if value == name && namesPort(key) {
			delete(spec.Options, key)
		}
	}
	e.adopt(spec)
	e.links = slices.DeleteFunc(slices.Clone(e.links), func(l agg.LinkFacts) bool { return l.Name == name })
	e.record(agg.Event{Kind: "port", Cause: cause, Port: name, From: "port", To: "left", Text: text + "; it leaves " + e.name})
}

// namesPort reports whether an option of the aggregate has a port for its value.
func namesPort(key string) bool {
	o, ok := agg.Lookup(key, agg.OfAggregate)
	return ok && o.Kind == agg.KindName
}

// Wanted is the spec as it was saved last, for those who must not wait for Run.
func (e *Engine) Wanted() agg.Spec { return *e.wanted.Load() }
