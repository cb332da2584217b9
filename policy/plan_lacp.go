package policy

import "github.com/yokelag/yoke/agg"

// lacp fills in the plan of 802.3ad: the table of balance-xor over the ports that LACP
// lets send. Who receives is LACP's word alone, as is the carrier.
func (b *builder) lacp() {
	b.balance()
	for i, p := range b.ports {
		// What drains goes on receiving until LACP has told the partner.
		b.plan.Ports[i].Receive = p.Present && p.LACP != nil && p.LACP.Receives
	}
	b.plan.Punt = agg.ClassSlow
	if b.c.LACP.BroadcastNeighbor {
		b.plan.Copy = agg.ClassNeighbor
	}
}
