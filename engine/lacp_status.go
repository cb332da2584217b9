package engine

import (
	"encoding/json"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
)

// lacpGate is the condition that LACP makes now.
func lacpGate(p PortView) agg.Gate {
	return agg.Gate{Name: agg.GateLACP, OK: p.LACPGate.OK, Reason: string(p.LACPGate.Reason), Detail: p.LACPGate.Detail}
}

// viewLACP adds what the machines say to a port's part of a view.
func (e *Engine) viewLACP(p *PortView) {
	l := &e.lag
	if e.config.Mode != agg.LACP {
		return
	}
	p.LACPGate = &lacp.Gate{Reason: "lacp-not-begun", Detail: "no port was there yet to give the aggregate its address"}
	if l.system == nil {
		return
	}
	number := l.number(p.Link.Name)
	gate := l.system.Gate(number)
	p.LACPGate = &gate
	if v, ok := l.system.Port(number); ok {
		p.LACP, p.Unread = &v, l.unread(number)
	}
}

// unread is what a flood has cost, 0 where the ear does not know.
func (l *lag) unread(number uint16) uint64 {
	if c, ok := l.ear.(Counter); ok {
		return c.Unread(l.index[number])
	}
	return 0
}

// lacpStatus is the aggregate's part of the status.
func (e *Engine) lacpStatus() *agg.LACPStatus {
	l := &e.lag
	if l.system == nil {
		return nil
	}
	out := &agg.LACPStatus{System: l.config.System, SystemPriority: l.config.SystemPriority, Aggregator: l.system.Active(), Carrier: l.system.Carrier()}
	for _, n := range l.system.Ports() {
		v, ok := l.system.Port(n)
		if !ok || !v.Active || v.Selected != "SELECTED" {
			continue
		}
		out.Ports++
		out.Key, out.Partner, out.PartnerPriority, out.PartnerKey = v.Actor.Key, v.Partner.System, v.Partner.SystemPriority, v.Partner.Key
	}
	return out
}

func portLACP(p PortView) *agg.PortLACP {
	v := p.LACP
	if v == nil {
		return nil
	}
	counters := counterMap(v.Counters)
	counters["rx_unread"] = p.Unread
	return &agg.PortLACP{
		Number: v.Number, Receives: v.Receives, Sends: v.Sends, Fallback: v.Fallback, Aggregator: v.Aggregator, Active: v.Active,
		Selected: v.Selected, Receive: v.Receive, Periodic: v.Periodic, Mux: v.Mux, ActorChurn: v.ActorChurn, PartnerChurn: v.PartnerChurn,
		Actor: lacpEnd(v.Actor), Partner: lacpEnd(v.Partner), Counters: counters,
	}
}

func lacpEnd(e lacp.End) agg.LACPEnd {
	return agg.LACPEnd{SystemPriority: e.SystemPriority, System: e.System, Key: e.Key, PortPriority: e.PortPriority, Port: e.Port,
		State: uint8(e.State), Words: e.Words}
}

// counterMap has the counters by the names that they have in JSON.
func counterMap(c lacp.Counters) map[string]uint64 {
	out := map[string]uint64{}
	if text, err := json.Marshal(c); err == nil {
		_ = json.Unmarshal(text, &out) // numbers all of them: it cannot fail
	}
	return out
}

// lacpFindings say what to check at the other end.
func lacpFindings(v View, add func(code, severity, text, remedy string)) {
	for _, p := range v.Ports {
		if p.LACPGate == nil || p.LACPGate.OK || p.LACPGate.Check == "" || !p.Verdict.Phase.Usable() {
			continue
		}
		add(string(p.LACPGate.Reason), "warning", p.Link.Name+": "+p.LACPGate.Detail, "check "+p.LACPGate.Check)
	}
}
