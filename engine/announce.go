package engine

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire"
	"github.com/yokelag/yoke/wire/arp"
	"github.com/yokelag/yoke/wire/nd"
)

// announcement is the newest one: where it went out, and for which addresses.
type announcement struct {
	port agg.PlanPort
	done []netip.Addr
	// pending is set until a reading of the addresses after the announcement has told
	// that none was forgotten.
	pending bool
}

// announceMove tells the network after a failover on which port the aggregate is now.
// It uses the addresses known so far, because neighbours wait; verify looks again.
func (e *Engine) announceMove(ctx context.Context, before mark) {
	if e.plane.doubt || !before.have || before.published.Generation == e.plane.published.Generation {
		return
	}
	port, moved := failedOver(before.published, e.plane.published)
	if !moved || e.config.NumPeerNotif == 0 {
		return
	}
	e.announced = announcement{port: port, pending: true}
	e.announceTo(ctx, e.addresses)
}

// announceLate announces addresses that were not known when the traffic moved.
func (e *Engine) announceLate(ctx context.Context) {
	if e.announced.pending && e.plane.published.PortByName(e.announced.port.Name) >= 0 {
		e.announceTo(ctx, e.addresses)
	}
	e.announced.pending = false
}

// failedOver returns the port to announce on where traffic moved to another port: the
// one port of active-backup changed, or one of several ports that shared is gone.
func failedOver(from, to agg.Plan) (agg.PlanPort, bool) {
	first := slices.IndexFunc(to.Ports, func(p agg.PlanPort) bool { return p.Transmit && p.Order == 0 })
	if first < 0 {
		return agg.PlanPort{}, false
	}
	port := to.Ports[first]
	if to.Select == agg.SelectFixed {
		return port, activeOf(from) != port.Name
	}
	for _, p := range from.Ports {
		i := to.PortByName(p.Name)
		if p.Transmit && (i < 0 || !to.Ports[i].Transmit) {
			return port, true
		}
	}
	return port, len(from.Table) == 0
}

// announceTo sends one gratuitous ARP or unsolicited advertisement for each address
// that was not announced yet.
func (e *Engine) announceTo(ctx context.Context, addresses []netip.Addr) {
	sent := 0
	var failed error
	for _, ip := range addresses {
		if slices.Contains(e.announced.done, ip) {
			continue
		}
		if err := e.w.Frames.Send(ctx, e.announced.port.Index, announceFrame(e.plane.published.MAC, ip)); err != nil {
			failed = err
			continue
		}
		e.announced.done = append(e.announced.done, ip)
		sent++
	}
	if sent > 0 {
		e.record(agg.Event{Kind: "announce", Cause: "failover", Port: e.announced.port.Name,
			Text: fmt.Sprintf("announced %s on %s", count(sent, "address", "addresses"), e.announced.port.Name)})
	}
	if failed != nil {
		e.record(agg.Event{Kind: "announce", Cause: "send-failed", Port: e.announced.port.Name,
			Text: fmt.Sprintf("cannot announce on %s: %v", e.announced.port.Name, failed)})
	}
}

func announceFrame(mac agg.MAC, ip netip.Addr) []byte {
	if ip.Is4() {
		return arp.AppendGratuitous(nil, mac, ip, wire.Tags{})
	}
	return nd.AppendUnsolicited(nil, mac, ip.WithZone(""), false, wire.Tags{})
}

// count writes a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
