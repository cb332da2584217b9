package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/announce"
)

// Stations tells who speaks by an aggregate's device.
type Stations interface {
	// Stations reads the named aggregate's device and what is above it, now.
	Stations(ctx context.Context, aggregate string) ([]agg.Station, error)
}

// announceConfig is what the configuration wants told after a failover.
func announceConfig(c agg.Config) announce.Config {
	return announce.Config{
		Notify: announce.Series{Count: c.NumPeerNotif, Interval: notifyInterval(c)},
		Rejoin: announce.Series{Count: c.ResendIGMP, Interval: c.RejoinInterval},
	}
}

// notifyInterval is peer_notif_delay; without one the time between two polls, as bonding
// does, and no less than that of the default.
func notifyInterval(c agg.Config) time.Duration {
	if c.PeerNotifDelay > 0 {
		return c.PeerNotifDelay
	}
	return max(c.Miimon, minNotifyInterval)
}

// announceMove begins to tell the network on which port the aggregate is now, where the
// plan in force says that traffic has moved.
func (e *Engine) announceMove(before mark) {
	if e.plane.doubt || !before.have || before.published.Generation == e.plane.published.Generation {
		return
	}
	if failedOver(before.published, e.plane.published, e.config.NumPeerNotifSet) {
		e.told = announce.Begin(announceConfig(e.config), e.w.Clock.Now())
	}
}

// announceDue tells what is due, by the ports that carry now. It returns what is to be
// recorded, which is done after the events that led to it.
func (e *Engine) announceDue(ctx context.Context) []agg.Event {
	if e.plane.doubt || !e.plane.have {
		return nil
	}
	ports := announcers(e.plane.published)
	if len(ports) == 0 {
		e.told = announce.State{} // the next failover tells all anew
		return nil
	}
	config := announceConfig(e.config)
	due, next := e.told.Step(config, e.w.Clock.Now())
	if due == (announce.Due{}) {
		return nil
	}
	first := due.Notify && e.told.Notify.Left == config.Notify.Count
	firstRejoin := due.Rejoin && e.told.Rejoin.Left == config.Rejoin.Count
	e.told = next
	defer e.save()
	return e.tell(ctx, due, ports, first, firstRejoin)
}

// announceAt is when something is to be told, agg.Never while it is not known what the
// plane does.
func (e *Engine) announceAt() agg.Instant {
	if e.plane.doubt || !e.plane.have {
		return agg.Never
	}
	return e.told.Deadline()
}

// tell sends once what is due. Only the first of a series is an event; each failure is.
func (e *Engine) tell(ctx context.Context, due announce.Due, ports []agg.PlanPort, first, firstRejoin bool) (events []agg.Event) {
	if e.w.Stations == nil {
		return nil
	}
	stations, err := e.w.Stations.Stations(ctx, e.name)
	if err != nil {
		return []agg.Event{{Kind: "announce", Cause: "send-failed", Text: fmt.Sprintf("cannot announce: %v", err)}}
	}
	of := announce.Aggregate{MAC: e.plane.published.MAC, MTU: e.plane.published.MTU}
	stations, noAddresses, noGroups := announce.Bound(stations)
	addresses, groups := announce.Count(stations)
	tooMany := func(first bool, left, n int, what string) {
		if first && left > 0 {
			events = append(events, agg.Event{Kind: "announce", Cause: "too-many",
				Text: fmt.Sprintf("%d of %d %s are told to nobody: %d are the most", left, left+n, what, announce.Limit)})
		}
	}
	tooMany(first, noAddresses, addresses, "addresses")
	tooMany(firstRejoin, noGroups, groups, "multicast groups")
	for _, port := range ports {
		var failed error
		event := func(want bool, n int, cause, text string) {
			if want && n > 0 {
				events = append(events, agg.Event{Kind: "announce", Cause: cause, Port: port.Name, Text: text})
			}
		}
		if due.Notify {
			err := e.send(ctx, port, announce.Advertise(of, stations))
			failed = errors.Join(failed, err)
			event(first && err == nil, addresses, "failover", fmt.Sprintf("announced %s on %s", count(addresses, "address", "addresses"), port.Name))
		}
		if due.Rejoin {
			err := e.send(ctx, port, announce.Rejoin(of, stations))
			failed = errors.Join(failed, err)
			event(firstRejoin && err == nil, groups, "rejoin", fmt.Sprintf("reported %s on %s", count(groups, "multicast group", "multicast groups"), port.Name))
		}
		if failed != nil {
			event(true, 1, "send-failed", fmt.Sprintf("cannot announce on %s: %v", port.Name, failed))
		}
	}
	return events
}

// send sends all frames and returns the first error.
func (e *Engine) send(ctx context.Context, port agg.PlanPort, frames [][]byte) (first error) {
	for _, f := range frames {
		if err := e.w.Frames.Send(ctx, port.Index, f); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// announcers returns the ports that announcements leave by: the active one, or the first
// of several that share, or each one that gets a copy of all. Of those that share any is
// right: they are one port group at the other end, which learns addresses for the group
// and not for its links.
func announcers(p agg.Plan) []agg.PlanPort {
	if p.Select == agg.SelectBroadcast {
		return slices.DeleteFunc(slices.Clone(p.Ports), func(q agg.PlanPort) bool { return !q.Transmit })
	}
	first := slices.IndexFunc(p.Ports, func(q agg.PlanPort) bool { return q.Transmit && q.Order == 0 })
	if first < 0 {
		return nil
	}
	return p.Ports[first : first+1]
}

// sameInterface tells a port from another one of its name.
func sameInterface(a, b agg.PlanPort) bool { return a.Name == b.Name && a.Index == b.Index }

// failedOver reports whether traffic moved to another interface: the one port of
// active-backup changed, or one of several ports that shared is gone. A port that begins
// to share is told only where an operator asked for announcements, as teamd does; nothing
// that others know is wrong then.
func failedOver(from, to agg.Plan, arrivals bool) bool {
	now, old := announcers(to), announcers(from)
	if len(now) == 0 {
		return false
	}
	if to.Select == agg.SelectFixed {
		return len(old) == 0 || !sameInterface(old[0], now[0])
	}
	return len(old) == 0 || missing(from, to) || arrivals && missing(to, from)
}

// missing reports whether an interface that sends in one plan does not in the other.
func missing(in, from agg.Plan) bool {
	return slices.ContainsFunc(in.Ports, func(p agg.PlanPort) bool {
		i := from.PortByName(p.Name)
		return p.Transmit && (i < 0 || !from.Ports[i].Transmit || !sameInterface(p, from.Ports[i]))
	})
}

// count writes a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
