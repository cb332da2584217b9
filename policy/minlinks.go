package policy

import (
	"fmt"

	"github.com/yokelag/yoke/agg"
)

// enough takes the aggregate's carrier away while fewer ports work than min_links asks for.
// Nothing is sent or received then: whoever stands above shall take another way. In mode
// 802.3ad LACP counts by itself.
func (b *builder) enough() {
	least, works := b.c.LACP.MinLinks, 0
	for _, p := range b.ports {
		if p.usable(b.next.Promoted) {
			works++
		}
	}
	if b.c.Mode == agg.LACP || works == 0 || works >= least {
		return
	}
	text := fmt.Sprintf("%d of %d ports that min_links=%d asks for work", works, least, least)
	for i := range b.plan.Ports {
		p := &b.plan.Ports[i]
		p.Receive = p.Receive && !p.Transmit || b.c.AllSlavesActive || b.c.Mode != agg.ActiveBackup // as with no port that works
		p.Transmit, p.Order = false, agg.NoPort
	}
	b.plan.Table, b.plan.Multicast, b.plan.Unbalanced = nil, agg.NoPort, 0
	b.next.Active, b.next.WishHolds, b.next.Drain = "", false, nil
	for i, p := range b.ports {
		if p.usable(b.next.Promoted) {
			b.reasons[i] = Reason{p.Name, false, CodeMinLinks, "waits for others: " + text}
		}
	}
	b.find(CodeMinLinks, text+", so the aggregate has no carrier")
}

// CodeMinLinks is the reason where too few ports work.
const CodeMinLinks = "min-links"
