package policy

import "github.com/yokelag/yoke/agg"

// spread fills in the plan of the modes that do not look at the frame: balance-rr,
// random and broadcast. The table has a place for each usable port, so that a dead
// port's share falls evenly on the others; bonding gives it all to the next one.
func (b *builder) spread() {
	b.next.Promoted = promote(b.ports, b.in.Previous.Promoted)
	b.next.Active, b.next.WishHolds = "", false
	ports := make([]TablePort, len(b.ports))
	for i, p := range b.ports {
		ports[i] = TablePort{Name: p.Name, Usable: p.usable(b.next.Promoted)}
	}
	b.plan.Table = ModuloTable(ports)
	b.useAll(ports)
	b.drain(nil, b.in.Leaving)
	switch {
	case b.c.Mode == agg.Broadcast:
		b.broadcast()
	case b.c.Mode == agg.Random || b.c.PacketsPerSlave == 0:
		b.plan.Select = agg.SelectRandom
	default:
		b.plan.Select, b.plan.PacketsPerPort = agg.SelectRoundRobin, b.c.PacketsPerSlave
	}
	if b.c.Mode == agg.BalanceRR {
		b.oneForIGMP()
	}
	b.explainSpread()
}

// broadcast sends a copy on every port: the others have theirs already where one fails.
func (b *builder) broadcast() {
	b.plan.Select = agg.SelectBroadcast
	for i := range b.plan.Table {
		b.plan.Table[i].Second = agg.NoPort
	}
}

// oneForIGMP gives IGMP to one port, as a switch learns from it where the groups are
// wanted: the first that is usable.
func (b *builder) oneForIGMP() {
	if len(b.plan.Table) > 0 {
		b.plan.Multicast, b.plan.Unbalanced = b.plan.Table[0].First, agg.ClassIGMP
	}
}

func (b *builder) explainSpread() {
	if b.c.Mode == agg.Broadcast {
		b.explainCopies()
		return
	}
	b.explainShares()
	if len(b.plan.Table) > 1 {
		b.findings = append(b.findings, Reason{OK: true, Code: "reorder", Text: "frames of one connection leave by several ports and may arrive in another order; " +
			"TCP takes that for loss beyond net.ipv4.tcp_reordering segments (3 unless set): raise it on the hosts that send, or take mode=balance-xor"})
	}
}

func (b *builder) explainCopies() {
	for _, p := range b.ports {
		if p.usable(b.next.Promoted) {
			b.reasons = append(b.reasons, Reason{p.Name, true, "copy", "carries a copy of every frame"})
		} else {
			b.reasons = append(b.reasons, unusable(p))
		}
	}
}
