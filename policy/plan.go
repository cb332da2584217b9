package policy

import (
	"github.com/yokelag/yoke/agg"
)

// Plan computes what a plane must do now: whole, from configuration and input, and
// never from an earlier plan. Generation is left at 0 for the caller to fill in.
//
// The State goes into the next call as Input.Previous and is saved with the aggregate.
// The Reasons are one for each configured port, in order, and then those about the
// whole aggregate.
//
// With no usable port the plan is blocked and without carrier. A mode that policy does
// not know gives a blocked plan with the reason "not-built"; agg.Spec.Validate refuses
// such a mode before.
func Plan(c agg.Config, in Input) (agg.Plan, State, []Reason) {
	b := newBuilder(c, in)
	switch c.Mode {
	case agg.ActiveBackup:
		b.activeBackup()
	case agg.BalanceXOR:
		b.balance()
	case agg.LACP:
		b.lacp()
	case agg.BalanceRR, agg.Random, agg.Broadcast:
		b.spread()
	default:
		b.find("not-built", "mode "+c.Mode.String()+" is not built; nothing is forwarded")
	}
	b.enough()
	b.addresses()
	b.plan.Carrier = b.carrying()
	if c.Mode == agg.LACP {
		b.plan.Carrier = in.Carrier
	}
	b.plan.Blocked = !b.plan.Carrier
	return b.plan, b.next, append(b.reasons, b.findings...)
}

// builder holds one plan while it is made.
type builder struct {
	c        agg.Config
	in       Input
	ports    []Candidate
	plan     agg.Plan
	next     State
	reasons  []Reason
	findings []Reason
}

func newBuilder(c agg.Config, in Input) *builder {
	b := &builder{c: c, in: in, ports: candidates(c, in), next: in.Previous}
	b.plan = agg.Plan{
		Mode:      c.Mode,
		FastPath:  c.FastPath,
		MAC:       in.MAC,
		MTU:       c.MTU,
		Hash:      c.HashPolicy,
		Multicast: agg.NoPort,
		Ports:     make([]agg.PlanPort, len(b.ports)),
	}
	for i, p := range b.ports {
		b.plan.Ports[i] = agg.PlanPort{
			Name: p.Name, Index: b.index(p.Name), Order: agg.NoPort, QueueID: b.c.Ports[i].QueueID,
		}
	}
	b.next.Drain = nil
	b.next.Own = rememberOwn(c, in.Ports, in.Previous.Own)
	b.next.Speeds = rememberSpeeds(b.ports, in.Previous.Speeds)
	return b
}

func (b *builder) index(name string) int {
	for _, f := range b.in.Ports {
		if f.Link.Name == name && f.Link.Present {
			return f.Link.Index
		}
	}
	return 0
}

func (b *builder) carrying() bool {
	for _, p := range b.plan.Ports {
		if p.Transmit {
			return true
		}
	}
	return false
}

// find adds a reason about the whole aggregate.
func (b *builder) find(code, text string) {
	b.findings = append(b.findings, Reason{Code: code, Text: text})
}

// rememberSpeeds keeps the last known speed of every configured port.
func rememberSpeeds(ports []Candidate, known map[string]uint32) map[string]uint32 {
	out := map[string]uint32{}
	for _, p := range ports {
		if p.Speed != 0 {
			out[p.Name] = p.Speed
		} else if s := known[p.Name]; s != 0 {
			out[p.Name] = s
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
