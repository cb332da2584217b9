package engine

import (
	"fmt"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/watch"
)

// gates returns the chain of conditions between a port and its traffic.
func gates(v View, p PortView) []agg.Gate {
	out := []agg.Gate{presentGate(p), adminGate(p), carrierGate(p), watchGate(p)}
	if p.LACPGate != nil {
		out = append(out, lacpGate(p))
	}
	return append(out, deviceGate(v), policyGate(p), planGate(v, p), planeGate(v, p))
}

func gate(name string, ok bool, yes, no, detail string) agg.Gate {
	g := agg.Gate{Name: name, OK: ok, Reason: no, Detail: detail}
	if ok {
		g.Reason = yes
	}
	return g
}

func presentGate(p PortView) agg.Gate {
	detail := "no such interface"
	if p.Link.Present {
		detail = fmt.Sprintf("interface %d", p.Link.Index)
	}
	return gate(agg.GatePresent, p.Link.Present, "present", watch.ReasonAbsent, detail)
}

func adminGate(p PortView) agg.Gate {
	return gate(agg.GateAdmin, p.Link.AdminUp, "admin-up", watch.ReasonAdminDown, choose(p.Link.AdminUp, "set up", "set down"))
}

func carrierGate(p PortView) agg.Gate {
	return gate(agg.GateCarrier, p.Link.Carrier, watch.ReasonLinkUp, watch.ReasonNoCarrier, choose(p.Link.Carrier, "carrier is up", "no carrier"))
}

func watchGate(p PortView) agg.Gate {
	return agg.Gate{Name: agg.GateWatch, OK: p.Verdict.Phase.Usable(), Reason: p.Verdict.Reason, Detail: p.Verdict.Detail}
}

// deviceGate is about the aggregate's own device: while that is down its ports stay ready,
// and nothing goes through them.
func deviceGate(v View) agg.Gate {
	down := v.Device.Present && !v.Device.AdminUp
	return gate(agg.GateDevice, !down, "device-up", "device-down", v.Spec.Name+" is set "+upDown(!down, ""))
}

func policyGate(p PortView) agg.Gate {
	return agg.Gate{Name: agg.GatePolicy, OK: p.Policy.OK, Reason: p.Policy.Code, Detail: p.Policy.Text}
}

// planGate is about the plan that the plane accepted.
func planGate(v View, p PortView) agg.Gate {
	i := v.Published.PortByName(p.Link.Name)
	switch {
	case !v.Accepted:
		return gate(agg.GatePlan, false, "", "no-plan", "no plan was published")
	case i < 0 || !v.Published.Ports[i].Transmit:
		return gate(agg.GatePlan, false, "", "not-in-plan", fmt.Sprintf("plan %d gives it no frames", v.Published.Generation))
	case v.Published.Ports[i].Index != p.Link.Index:
		return gate(agg.GatePlan, false, "", "other-interface",
			fmt.Sprintf("plan %d is for interface %d", v.Published.Generation, v.Published.Ports[i].Index))
	default:
		return gate(agg.GatePlan, true, "in-plan", "", fmt.Sprintf("plan %d: %s", v.Published.Generation, share(v.Published, i)))
	}
}

func share(p agg.Plan, port int) string {
	n := 0
	for _, c := range p.Table {
		if c.First == port {
			n++
		}
	}
	return fmt.Sprintf("%d of %d entries", n, len(p.Table))
}

// planeGate is about what the plane reports. A plane that keeps forwarding by an
// earlier plan while it refuses a new one still carries.
func planeGate(v View, p PortView) agg.Gate {
	ok, reason, detail := inForce(v)
	if f := v.Facts.Published; !ok && f != nil && v.FactsErr == nil {
		i := f.PortByName(p.Link.Name)
		if i >= 0 && f.Ports[i].Transmit && f.Ports[i].Index == p.Link.Index {
			return gate(agg.GatePlane, true, "earlier-plan", "", fmt.Sprintf("the plane still forwards by plan %d", f.Generation))
		}
	}
	return gate(agg.GatePlane, ok, reason, reason, detail)
}

// inForce reports whether the plane does what it was asked.
func inForce(v View) (ok bool, reason, detail string) {
	switch {
	case v.Doubt != nil:
		return false, "apply-failed", v.Doubt.Error()
	case v.FactsErr != nil:
		return false, "observe-failed", v.FactsErr.Error()
	case !v.Observed:
		return v.Accepted, "in-force", "accepted"
	case v.Facts.Published == nil:
		return false, "no-plan", "the plane reports no plan"
	case v.Facts.Published.Generation != v.Published.Generation || !v.Facts.Published.Equal(v.Published):
		return false, "differs", fmt.Sprintf("the plane reports plan %d", v.Facts.Published.Generation)
	default:
		return true, "in-force", "the plane reports this plan"
	}
}

func choose(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}
