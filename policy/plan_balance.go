package policy

import (
	"fmt"
	"slices"

	"github.com/yokelag/yoke/agg"
)

// balance fills in the plan of balance-xor: usable ports share the table, and every
// port receives, as the other end may send on any.
func (b *builder) balance() {
	b.next.Promoted = ""
	if b.c.Mode != agg.LACP { // which knows no delay, only a link that it may speak on
		b.next.Promoted = promote(b.ports, b.in.Previous.Promoted)
	}
	b.next.Active, b.next.WishHolds = "", false
	ports := b.tablePorts()
	if b.c.HashMap == agg.Modulo {
		b.plan.Select, b.plan.Table = agg.SelectModulo, ModuloTable(ports)
	} else {
		b.plan.Select, b.plan.Table = agg.SelectBuckets, b.bucketTable(ports)
	}
	b.useAll(ports)
	b.leave(ports)
	b.explainShares()
}

// bucketTable is the table without the ports that leave: as it will be when they are gone.
func (b *builder) bucketTable(ports []TablePort) []agg.Choice {
	if len(b.in.Leaving) == 0 {
		return b.tables().Table(ports, b.in.Moves)
	}
	var stay []TablePort
	var index []int
	for i, p := range ports {
		if !b.ports[i].Leaving {
			stay, index = append(stay, p), append(index, i)
		}
	}
	table := Table(stay, b.in.Moves)
	for i, c := range table {
		table[i].First = index[c.First]
		if c.Second >= 0 {
			table[i].Second = index[c.Second]
		}
	}
	return table
}

// leave drains the ports that leave, and every bucket that moves because of them or of a
// change of weights.
func (b *builder) leave(ports []TablePort) {
	if b.plan.Select == agg.SelectBuckets && len(b.in.Leaving) == 0 && b.in.Former != nil {
		b.drain(b.in.Former, b.losing(b.in.Former))
		return
	}
	if b.plan.Select == agg.SelectBuckets && len(b.in.Leaving) == 0 && len(b.in.Displaced) > 0 {
		b.displace()
		return
	}
	if len(b.in.Leaving) == 0 || b.plan.Select != agg.SelectBuckets {
		b.drain(nil, b.in.Leaving)
		return
	}
	with := slices.Clone(ports)
	for i, p := range b.ports {
		p.Leaving = false
		with[i].Usable = p.usable(b.next.Promoted)
	}
	former := map[int]string{}
	for i, c := range Table(with, b.in.Moves) {
		former[i] = with[c.First].Name
	}
	b.drain(former, b.in.Leaving)
}

// losing names the ports that lose entries, in configured order.
func (b *builder) losing(former map[int]string) []string {
	loses := map[string]bool{}
	for i, name := range former {
		if i < len(b.plan.Table) && b.ports[b.plan.Table[i].First].Name != name {
			loses[name] = true
		}
	}
	var out []string
	for _, p := range b.ports {
		if loses[p.Name] {
			out = append(out, p.Name)
		}
	}
	return out
}

// useAll lets every usable port transmit, and every port receive.
func (b *builder) useAll(ports []TablePort) {
	place := 0
	for i := range b.plan.Ports {
		b.plan.Ports[i].Receive = true
		if ports[i].Usable {
			b.plan.Ports[i].Transmit = true
			b.plan.Ports[i].Order = place
			place++
		}
	}
}

func (b *builder) tables() *Tables {
	if b.in.Tables == nil {
		return new(Tables)
	}
	return b.in.Tables
}

// tablePorts gives each port its weight: what the configuration says, else its last
// known speed; where one is missing, all weights are equal.
func (b *builder) tablePorts() []TablePort {
	out := make([]TablePort, len(b.ports))
	unknown := ""
	for i, p := range b.ports {
		out[i] = TablePort{Name: p.Name, Weight: b.c.Ports[i].Weight, Usable: p.usable(b.next.Promoted)}
		if out[i].Weight == 0 {
			out[i].Weight = b.next.Speeds[p.Name]
		}
		if out[i].Weight == 0 && unknown == "" {
			unknown = p.Name
		}
	}
	if unknown == "" || b.c.HashMap == agg.Modulo {
		return out
	}
	for i := range out {
		out[i].Weight = 1
	}
	if len(out) > 1 {
		b.find("equal-weights", "all ports have the same share, because the speed of "+unknown+" is unknown; weight=N on each port sets shares")
	}
	return out
}

// explainShares tells each port's part of the table.
func (b *builder) explainShares() {
	share := make([]int, len(b.ports))
	for _, c := range b.plan.Table {
		share[c.First]++
	}
	unit := "places"
	if b.plan.Select == agg.SelectBuckets {
		unit = "buckets"
	}
	for i, p := range b.ports {
		switch {
		case p.LACP != nil && p.LACP.Yields && share[i] > 0:
			b.reasons = append(b.reasons, Reason{
				p.Name, true, "yielding",
				fmt.Sprintf("carries %d of %d %s until their traffic pauses, %v at most; a better port takes its place", share[i], len(b.plan.Table), unit, b.c.DrainTimeout),
			})
		case !p.usable(b.next.Promoted):
			b.reasons = append(b.reasons, unusable(p))
		case p.Name == b.next.Promoted:
			b.reasons = append(b.reasons, Reason{
				p.Name, true, CodeWaited,
				fmt.Sprintf("carries %d of %d %s before its updelay is over, because no port was up", share[i], len(b.plan.Table), unit),
			})
		default:
			b.reasons = append(b.reasons, Reason{
				p.Name, true, "share",
				fmt.Sprintf("carries %d of %d %s", share[i], len(b.plan.Table), unit),
			})
		}
	}
}
