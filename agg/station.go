package agg

import (
	"net/netip"

	"github.com/yokelag/yoke/wire"
)

// Station is an interface that speaks by the aggregate's device: the device itself, or
// one above it. It is what neighbours and switches are told of after a failover.
type Station struct {
	Name string `json:"name"`
	// Tags are those of its frames, outermost first.
	Tags wire.Tags `json:"-"`
	// MAC is its own address, zero where it has that of the aggregate and follows it.
	MAC MAC `json:"mac,omitzero"`
	// Router: it forwards IPv6, which advertisements tell.
	Router bool `json:"router,omitempty"`
	// Addresses are those that neighbours may know, in the kernel's order.
	Addresses []netip.Addr `json:"addresses,omitempty"`
	// IGMP is the version that routers on its link speak, 1 to 3; 0 counts as 3.
	IGMP int `json:"igmp,omitempty"`
	// Groups are the multicast groups it has joined, IPv4 and IPv6.
	Groups []Group `json:"groups,omitempty"`
	// Above are the VLANs and macvlans on it.
	Above []Station `json:"above,omitempty"`
}

// Group is a membership in a multicast group.
type Group struct {
	Address netip.Addr `json:"address"`
	// Sources are the only senders that are wanted; none means any.
	Sources []netip.Addr `json:"sources,omitempty"`
}
