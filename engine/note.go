package engine

import (
	"context"
	"fmt"
	"log/slog"
	"maps"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/policy"
	"github.com/yokelag/yoke/watch"
)

// mark is the state before a round, to tell afterwards what happened.
type mark struct {
	links     map[string]agg.LinkFacts
	phases    map[string]watch.Verdict
	active    string
	published agg.Plan
	have      bool
	drain     *policy.Drain
}

func (e *Engine) mark() mark {
	m := mark{
		links: map[string]agg.LinkFacts{}, phases: map[string]watch.Verdict{},
		active: e.policy.Active, published: e.plane.published, have: e.plane.have,
		drain: e.policy.Drain,
	}
	for _, l := range e.links {
		m.links[l.Name] = l
	}
	for name, p := range e.ports {
		m.phases[name] = p.verdict
	}
	return m
}

// note records what changed since before, and saves where something did.
func (e *Engine) note(before mark) {
	changed := false
	for _, l := range e.links {
		changed = e.notePort(before, l) || changed
	}
	if before.active != e.policy.Active {
		changed = true
		e.record(agg.Event{Kind: "active", Cause: e.activeCause(), Port: e.policy.Active,
			From: before.active, To: e.policy.Active, Text: activeText(before.active, e.policy.Active)})
	}
	published := e.plane.published
	if !e.plane.doubt && e.plane.have && (!before.have || before.published.Generation != published.Generation) {
		changed = true
		e.record(agg.Event{Kind: "plan", Cause: "published",
			From: fmt.Sprint(before.published.Generation), To: fmt.Sprint(published.Generation), Text: describe(published)})
	}
	changed = e.noteLACP() || changed
	changed = e.noteDrain(before) || changed
	if e.noteGates() || changed {
		e.save()
	}
}

func activeText(from, to string) string {
	switch {
	case to == "":
		return "no port is active"
	case from == "":
		return to + " is active"
	default:
		return to + " is active instead of " + from
	}
}

func (e *Engine) activeCause() string {
	for _, r := range e.reasons {
		if r.Port == e.policy.Active && r.Port != "" {
			return r.Code
		}
	}
	return "none-up"
}

// notePort records the changes of one port and counts its failures.
func (e *Engine) notePort(before mark, l agg.LinkFacts) bool {
	was, known := before.links[l.Name]
	now, old := e.ports[l.Name].verdict, before.phases[l.Name]
	changed := known && e.noteLink(was, l)
	replaced := known && was.Present && l.Present && was.Index != l.Index
	if old.Phase.Usable() && (!now.Phase.Usable() || replaced && now.Since != old.Since) {
		e.ports[l.Name].failures++
	}
	if old.Phase != now.Phase {
		changed = true
		e.record(agg.Event{Kind: "watch", Cause: now.Reason, Port: l.Name,
			From: old.Phase.String(), To: now.Phase.String(), Text: l.Name + ": " + now.Detail})
	}
	return changed || !known
}

// noteLink records what the kernel says otherwise of a port than before.
func (e *Engine) noteLink(was, is agg.LinkFacts) bool {
	event := func(kind, cause, from, to, text string) bool {
		e.record(agg.Event{Kind: kind, Cause: cause, Port: is.Name, From: from, To: to, Text: is.Name + ": " + text})
		return true
	}
	switch {
	case was.Present && !is.Present:
		return event("port", "absent", "present", "absent", "the interface is gone")
	case !was.Present && is.Present:
		return event("port", "present", "absent", "present", "the interface is there")
	case was.Index != is.Index:
		return event("port", "replaced", fmt.Sprint(was.Index), fmt.Sprint(is.Index), "another interface has the name now")
	case was.AdminUp != is.AdminUp:
		return event("port", upDown(is.AdminUp, "admin"), upDown(was.AdminUp, "admin"), upDown(is.AdminUp, "admin"), "set "+upDown(is.AdminUp, ""))
	case was.Carrier != is.Carrier:
		return event("carrier", upDown(is.Carrier, "link"), upDown(was.Carrier, "link"), upDown(is.Carrier, "link"), "carrier is "+upDown(is.Carrier, ""))
	case was.Speed != is.Speed && is.Speed != 0:
		return event("port", "speed", fmt.Sprint(was.Speed), fmt.Sprint(is.Speed), fmt.Sprintf("speed is %d Mb/s", is.Speed))
	default:
		return false
	}
}

func upDown(up bool, of string) string {
	word := "down"
	if up {
		word = "up"
	}
	if of == "" {
		return word
	}
	return of + "-" + word
}

// noteGates remembers since when each gate is open or shut.
func (e *Engine) noteGates() bool {
	now, changed := e.w.Clock.Now(), false
	view := e.view(agg.Facts{}, nil)
	for _, p := range view.Ports {
		known := e.ports[p.Link.Name].gates
		for _, g := range gates(view, p) {
			if s, ok := known[g.Name]; !ok || s.OK != g.OK {
				known[g.Name] = GateState{OK: g.OK, Since: now}
				changed = true
			}
		}
	}
	return changed
}

// record adds events and logs them.
func (e *Engine) record(events ...agg.Event) {
	for _, ev := range events {
		ev.Aggregate, ev.Time = e.name, e.w.Clock.Now()
		ev = e.ring.add(ev)
		e.w.Log.LogAttrs(context.Background(), levelOf(ev), ev.Text,
			slog.String("aggregate", ev.Aggregate), slog.String("port", ev.Port), slog.String("kind", ev.Kind),
			slog.String("cause", ev.Cause), slog.Uint64("seq", ev.Seq))
	}
}

func levelOf(ev agg.Event) slog.Level {
	switch ev.Cause {
	case "apply-failed", "observe-failed", "read-failed", "send-failed", "too-many", "repaired":
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

// save hands the state to the saver.
func (e *Engine) save() {
	s := e.snapshot()
	wanted := s.Spec.Clone()
	e.wanted.Store(&wanted)
	e.saver.put(s)
}

func (e *Engine) snapshot() Saved {
	seq, events := e.ring.snapshot()
	s := Saved{
		Version: SavedVersion, Spec: e.spec.Clone(), Plane: e.w.Plane.Capability().Plane, MAC: e.mac,
		Generation: e.plane.generation, PublishedAt: e.plane.publishedAt, Seq: seq, Events: events,
		LACP: e.savedLACP(), Policy: e.policy, Announce: e.told, Moves: maps.Clone(e.moves), Ports: map[string]SavedPort{}, Repairs: e.plane.repairs, Stopped: e.stopped,
	}
	s.Policy.Speeds = maps.Clone(e.policy.Speeds)
	for i, c := range e.config.Ports {
		p := e.ports[c.Name]
		s.Ports[c.Name] = SavedPort{Watch: e.watches[i].State(), Index: e.link(c.Name).Index, Failures: p.failures, Gates: maps.Clone(p.gates)}
	}
	return s
}
