package engine

import (
	"github.com/yokelag/yoke/agg"
)

// Report makes the status that every face shows. It is pure.
func Report(v View) agg.Status {
	s := agg.Status{
		Name: v.Spec.Name, Plane: v.Capability.Plane, Mode: v.Config.Mode.String(), Total: len(v.Ports),
		Active: v.Active, Device: v.Facts.Device, Plan: planStatus(v), Counters: v.Facts.Counters,
		LACP: v.LACP, Capability: v.Capability, Daemon: v.Daemon, Spec: v.Spec, At: v.Now, Ports: []agg.PortStatus{},
	}
	for _, p := range v.Ports {
		status := portStatus(v, p)
		status.Text = portText(s, status)
		if status.Carrying {
			s.Carrying++
		}
		s.Ports = append(s.Ports, status)
	}
	s.Summary = summary(s)
	s.Findings = findings(v)
	return s
}

func planStatus(v View) agg.PlanStatus {
	ok, _, _ := inForce(v)
	p := agg.PlanStatus{
		Order: orderOf(v.Published), InForce: ok && v.Accepted,
		Generation: v.Published.Generation, PublishedAt: v.PublishedAt,
		Blocked: v.Published.Blocked, FastPath: v.Published.FastPath, Select: v.Published.Select.String(),
		Reorder: v.Published.Mode.Reorders(),
	}
	if v.PublishedAt != agg.Never {
		p.AgeMS = v.Now.Sub(v.PublishedAt).Milliseconds()
	}
	for _, c := range v.Published.Table {
		if c.First < 0 {
			continue
		}
		if p.Shares == nil {
			p.Shares = map[string]int{}
		}
		p.Shares[v.Published.Ports[c.First].Name]++
	}
	return p
}

func portStatus(v View, p PortView) agg.PortStatus {
	s := agg.PortStatus{Name: p.Link.Name, Gates: gates(v, p), Failures: p.Failures, Facts: factsOf(v, p), LACP: portLACP(p)}
	if p.Told != nil {
		s.LACP = p.Told
	}
	for i, g := range s.Gates {
		if known, ok := p.Gates[g.Name]; ok && known.OK == g.OK {
			s.Gates[i].Since = known.Since
		}
	}
	g, shut := firstShut(s.Gates)
	s.Carrying = !shut
	s.Reason = ""
	if shut {
		s.Reason = g.Reason
	}
	return s
}

// factsOf takes the plane's counters, and the link as the engine judged it.
func factsOf(v View, p PortView) agg.PortFacts {
	for _, f := range v.Facts.Ports {
		if f.Name == p.Link.Name {
			f.LinkFacts = p.Link
			return f
		}
	}
	return agg.PortFacts{LinkFacts: p.Link}
}
