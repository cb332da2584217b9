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
// It uses the addresses known so far, because neighbours wait; verify looks again. It
// returns what is to be recorded, which is done after the events that led to it.
func (e *Engine) announceMove(ctx context.Context, before mark) []agg.Event {
	if e.plane.doubt || !before.have || before.published.Generation == e.plane.published.Generation {
		return nil
	}
	port, moved := failedOver(before.published, e.plane.published)
	if !moved || e.config.NumPeerNotif == 0 {
		return nil
	}
	e.announced = announcement{port: port, pending: true}
	return e.announceTo(ctx, e.addresses)
}

// announceLate announces addresses that were not known when the traffic moved, unless it
// has moved on since.
func (e *Engine) announceLate(ctx context.Context) []agg.Event {
	if !e.announced.pending || e.plane.doubt {
		return nil
	}
	e.announced.pending = false
	if port, ok := announcer(e.plane.published); !ok || !sameInterface(port, e.announced.port) {
		return nil
	}
	return e.announceTo(ctx, e.addresses)
}

// announcer returns the port that announcements leave by: the active one, or the first
// of several that share. There any is right: ports that share are one port group at the
// other end, which learns addresses for the group and not for its links.
func announcer(p agg.Plan) (agg.PlanPort, bool) {
	first := slices.IndexFunc(p.Ports, func(q agg.PlanPort) bool { return q.Transmit && q.Order == 0 })
	if first < 0 {
		return agg.PlanPort{}, false
	}
	return p.Ports[first], true
}

// sameInterface tells a port from another one of its name.
func sameInterface(a, b agg.PlanPort) bool { return a.Name == b.Name && a.Index == b.Index }

// failedOver returns the port to announce on where traffic moved to another interface:
// the one port of active-backup changed, or one of several ports that shared is gone.
func failedOver(from, to agg.Plan) (agg.PlanPort, bool) {
	port, ok := announcer(to)
	if !ok {
		return agg.PlanPort{}, false
	}
	if to.Select == agg.SelectFixed {
		old, had := announcer(from)
		return port, !had || !sameInterface(old, port)
	}
	for _, p := range from.Ports {
		i := to.PortByName(p.Name)
		if p.Transmit && (i < 0 || !to.Ports[i].Transmit || !sameInterface(p, to.Ports[i])) {
			return port, true
		}
	}
	return port, len(from.Table) == 0
}

// announceTo sends one gratuitous ARP or unsolicited advertisement for each address
// that was not announced yet, and returns the events of it.
func (e *Engine) announceTo(ctx context.Context, addresses []netip.Addr) (events []agg.Event) {
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
		events = append(events, agg.Event{Kind: "announce", Cause: "failover", Port: e.announced.port.Name,
			Text: fmt.Sprintf("announced %s on %s", count(sent, "address", "addresses"), e.announced.port.Name)})
	}
	if failed != nil {
		events = append(events, agg.Event{Kind: "announce", Cause: "send-failed", Port: e.announced.port.Name,
			Text: fmt.Sprintf("cannot announce on %s: %v", e.announced.port.Name, failed)})
	}
	return events
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
