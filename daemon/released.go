package daemon

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// released are ports that an aggregate gave back. One of them may be the port whose address
// the aggregate has and keeps.
type released struct {
	mu    sync.Mutex
	names []string
}

// note remembers what a change removes, and forgets what it adds again.
func (l *released) note(before, after agg.Spec) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range before.Ports {
		if after.Port(p.Name) == agg.NoPort && !slices.Contains(l.names, p.Name) {
			l.names = append(l.names, p.Name)
		}
	}
	l.names = slices.DeleteFunc(l.names, func(name string) bool { return after.Port(name) != agg.NoPort })
	l.names = l.names[max(0, len(l.names)-agg.MaxPorts):]
}

func (l *released) list() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.names)
}

// sharing names the ports given back that have the address which the aggregate goes on with,
// so that two interfaces of one network may speak by it.
func (r *registry) sharing(ctx context.Context, a *aggregate, of agg.MAC, ports int) []string {
	names := a.released.list()
	if len(names) == 0 || ports == 0 || of.IsZero() {
		return nil
	}
	links, err := r.world.Links().Read(ctx, names)
	if err != nil {
		return nil
	}
	var out []string
	for _, l := range links {
		if l.Present && l.MAC == of && l.Master == "" {
			out = append(out, l.Name)
		}
	}
	return out
}

// addressFindings warn of a port that was given back with the address that the aggregate has
// from it, as the bonding driver does.
func (r *registry) addressFindings(ctx context.Context, s agg.Status) []agg.Finding {
	a, err := r.get(s.Name)
	if err != nil {
		return nil
	}
	var out []agg.Finding
	for _, port := range r.sharing(ctx, a, s.Device.MAC, s.Total) {
		out = append(out, agg.Finding{Code: control.FindingAddressShared, Severity: "warning", Text: sharedText(port, s.Name, s.Device.MAC),
			Remedy: fmt.Sprintf("give %s another address before it goes into the same network: `ip link set dev %s address %s`", port, port, local(s.Device.MAC))})
	}
	return out
}

func sharedText(port, name string, mac agg.MAC) string {
	return fmt.Sprintf("%s has its own address %s back, and %s goes on with it", port, mac, name)
}

// local is an address near one that nobody made hardware with.
func local(m agg.MAC) agg.MAC {
	m[0] |= 2
	m[5] ^= 0xff
	return m
}

// warnOfAddress records it as an event when it happens.
func (r *registry) warnOfAddress(ctx context.Context, a *aggregate, name string) {
	if len(a.released.list()) == 0 {
		return
	}
	f, err := a.engine.Facts(ctx)
	if err != nil {
		return
	}
	for _, port := range r.sharing(ctx, a, f.Device.MAC, len(a.engine.Wanted().Ports)) {
		a.engine.Record(ctx, agg.Event{Port: port, Kind: "port", Cause: control.FindingAddressShared, Text: sharedText(port, name, f.Device.MAC)})
	}
}
