package policy

import "github.com/yokelag/yoke/agg"

// Driven is the plan of an aggregate whose mode a driver of the kernel runs by itself: the
// ports that it shall have, and, as a record, what it makes of them. Each port's Agreement
// says that, and Input.Carrier is the device's. active is the port that the driver sends
// by in modes that have one. The plan names no address but the one that is configured,
// since the driver gives the ports theirs, and it blocks nothing.
func Driven(c agg.Config, in Input, active string) (agg.Plan, State, []Reason) {
	b := newBuilder(c, in)
	b.plan.MAC, b.plan.FastPath = c.MAC, false
	b.plan.Carrier = in.Carrier
	b.next.Active = active
	b.choose()
	for i, p := range b.ports {
		says := b.agreement(p.Name)
		sends := p.Present && says.Sends
		b.plan.Ports[i].Receive, b.plan.Ports[i].Transmit = p.Present && says.Receives, sends
		if sends {
			b.plan.Table = append(b.plan.Table, agg.Choice{First: i, Second: agg.NoPort})
		}
		b.reasons = append(b.reasons, Reason{Port: p.Name, OK: sends, Code: says.Reason, Text: says.Detail})
	}
	b.order()
	return b.plan, b.next, b.reasons
}

// order puts the ports that send before those that are ready to.
func (b *builder) order() {
	place := 0
	for _, sending := range []bool{true, false} {
		for i, p := range b.ports {
			ready := p.Present && (p.Watch.State == Up || p.Watch.State == Falling)
			if pp := &b.plan.Ports[i]; pp.Transmit == sending && (sending || ready) {
				pp.Order = place
				place++
			}
		}
	}
}

// choose says how the driver finds an entry.
func (b *builder) choose() {
	switch {
	case b.c.Mode == agg.ActiveBackup:
		b.plan.Select = agg.SelectFixed
	case b.c.Mode == agg.Broadcast:
		b.plan.Select = agg.SelectBroadcast
	case b.c.Mode == agg.Random, b.c.Mode == agg.BalanceRR && b.c.PacketsPerSlave == 0:
		b.plan.Select = agg.SelectRandom
	case b.c.Mode == agg.BalanceRR:
		b.plan.Select, b.plan.PacketsPerPort = agg.SelectRoundRobin, b.c.PacketsPerSlave
	default:
		b.plan.Select = agg.SelectModulo
	}
}

func (b *builder) agreement(name string) Agreement {
	for _, f := range b.in.Ports {
		if f.Link.Name == name {
			return f.LACP
		}
	}
	return Agreement{}
}
