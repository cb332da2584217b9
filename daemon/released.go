package daemon

import (
	"context"
	"fmt"
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// release remembers what a change gives back, and forgets what it takes again.
func (s *store) release(before, after agg.Spec) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := slices.Clone(s.file.Released)
	for _, p := range before.Ports {
		if after.Port(p.Name) == agg.NoPort && !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return after.Port(name) != agg.NoPort })
	names = names[max(0, len(names)-agg.MaxPorts):]
	if slices.Equal(names, s.file.Released) {
		return nil
	}
	s.file.Released = names
	return s.write()
}

// released names the ports that it gave back.
func (s *store) released() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.file.Released)
}

// sharing names the ports given back that have the address which the aggregate goes on with,
// so that two interfaces of one network may speak by it.
func (r *registry) sharing(ctx context.Context, a *aggregate, of agg.MAC, ports int) []string {
	names := a.store.released()
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
	if len(a.store.released()) == 0 {
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
