package policy

import (
	"fmt"

	"github.com/yokelag/yoke/agg"
)

// activeBackup fills in the plan of active-backup: one entry, the others stand by and
// do not receive, unless all_slaves_active says so.
func (b *builder) activeBackup() {
	speeds, own := b.next.Speeds, b.next.Own
	choice := ChooseActive(b.c, b.ports, b.in.Previous)
	b.next = choice.State
	b.next.Speeds, b.next.Own, b.next.Drain = speeds, own, nil
	b.plan.Select = agg.SelectFixed
	for i := range b.plan.Ports {
		b.plan.Ports[i].Receive = b.c.AllSlavesActive
	}
	order := succession(b.c, b.ports, choice.Index, b.next)
	for place, i := range order {
		b.plan.Ports[i].Order = place
	}
	if len(order) > 0 {
		entry := agg.Choice{First: order[0], Second: b.lastResort(order[0])}
		if len(order) > 1 {
			entry.Second = order[1]
		}
		b.plan.Table = []agg.Choice{entry}
		b.plan.Ports[order[0]].Transmit = true
		b.plan.Ports[order[0]].Receive = true
	}
	if was := b.in.Previous.Active; was != b.next.Active {
		b.drain(map[int]string{0: was}, []string{was})
	} else {
		b.drain(nil, nil)
	}
	b.explainActive(choice)
}

// lastResort is the second choice where no other port works now: the one that is nearest
// to it. When the active port dies before the next plan is there, it may have come back;
// if not, nothing is worse.
func (b *builder) lastResort(active int) int {
	best := agg.NoPort
	for i, p := range b.ports {
		switch {
		case i == active || !p.Present:
		case best == agg.NoPort, p.Watch.State == Rising && b.ports[best].Watch.State != Rising:
			best = i
		}
	}
	return best
}

func (b *builder) explainActive(choice ActiveChoice) {
	for i, p := range b.ports {
		place := b.plan.Ports[i].Order
		switch {
		case b.next.Drain.Holding() && b.next.Drain.Held[0] == p.Name:
			b.reasons = append(b.reasons, Reason{p.Name, true, "draining", "carries until its traffic pauses, " + b.c.DrainTimeout.String() + " at most; then " + b.next.Active + " does"})
		case i == choice.Index:
			b.reasons = append(b.reasons, Reason{p.Name, true, choice.Code, "active: " + choice.Text})
		case place < 0:
			b.reasons = append(b.reasons, unusable(p))
		case p.Prio == 0:
			b.reasons = append(b.reasons, Reason{p.Name, false, "backup", fmt.Sprintf("backup, number %d in line", place)})
		default:
			b.reasons = append(b.reasons, Reason{p.Name, false, "backup", fmt.Sprintf("backup with prio %d, number %d in line", p.Prio, place)})
		}
	}
	if w := b.c.ActiveSlave; w != "" && b.next.Wish != w {
		b.find("wish-pending", "active_slave="+w+" waits until that port works")
	}
}

// unusable explains a port that carries nothing because it does not work.
func unusable(p Candidate) Reason {
	r := Reason{Port: p.Name, Code: p.Watch.Reason, Text: p.Watch.Detail}
	switch {
	case p.LACP != nil && p.LACP.Yields:
		r.Code, r.Text = "yielding", "a better port takes its place, and its traffic moves there when it pauses"
	case p.Leaving:
		r.Code, r.Text = "leaving", "it is being removed, and its traffic moves to others"
	case !p.Present:
		r.Code, r.Text = "absent", "there is no such interface now"
	case p.LACP != nil && p.Watch.State != Down:
		r.Code, r.Text = p.LACP.Reason, p.LACP.Detail
	case r.Code == "":
		r.Code = p.Watch.State.String()
	}
	if r.Text == "" {
		r.Text = "the port is " + p.Watch.State.String()
	}
	return r
}
