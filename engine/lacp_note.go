package engine

import (
	"fmt"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
)

// noteLACP records the transitions since it was called last, and reports whether there
// is something new to save: a transition, or another word of a partner.
func (e *Engine) noteLACP() bool {
	l := &e.lag
	if l.system == nil {
		return false
	}
	changed := len(l.moves) > 0
	for _, m := range l.moves {
		if m.From != m.To {
			e.record(e.moveEvent(m))
		}
	}
	l.moves = l.moves[:0]
	for _, n := range l.system.Ports() {
		v, _ := l.system.Port(n)
		if now := [2]lacp.End{v.Actor, v.Partner}; l.known[n] != now {
			l.known[n], changed = now, true
		}
	}
	return changed
}

// moveEvent tells a transition; its cause is the row of the machine's table.
func (e *Engine) moveEvent(m lacp.Move) agg.Event {
	name, info := e.lag.nameOf(m.Port), m.Row.Info()
	return agg.Event{
		Kind: "lacp", Cause: info.ID, Port: name, From: m.From, To: m.To,
		Text: fmt.Sprintf("%s: %s %s, was %s: %s (%s)", name, info.Machine, m.To, m.From, info.When, info.Clause),
	}
}
