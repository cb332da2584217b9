package announce

import (
	"net/netip"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire/arp"
	"github.com/yokelag/yoke/wire/igmp"
	"github.com/yokelag/yoke/wire/mld"
	"github.com/yokelag/yoke/wire/nd"
)

// Aggregate is whose stations are announced.
type Aggregate struct {
	MAC agg.MAC
	// MTU bounds a report, in bytes; 0 counts as 1500.
	MTU int
}

// of is the source address of a station's frames.
func (a Aggregate) of(s agg.Station) agg.MAC {
	if s.MAC.IsZero() {
		return a.MAC
	}
	return s.MAC
}

// Advertise returns a frame for each address: gratuitous ARP for IPv4 and unsolicited
// advertisements for IPv6, in the order of Linux: a station asks before what stands above
// it, and advertises after.
func Advertise(a Aggregate, stations []agg.Station) (frames [][]byte) {
	for _, s := range stations {
		for _, ip := range s.Addresses {
			if ip.Is4() {
				frames = append(frames, arp.AppendGratuitous(nil, a.of(s), ip, s.Tags))
			}
		}
		frames = append(frames, Advertise(a, s.Above)...)
		for _, ip := range s.Addresses {
			if !ip.Is4() {
				frames = append(frames, nd.AppendUnsolicited(nil, a.of(s), ip, s.Router, s.Tags))
			}
		}
	}
	return frames
}

// Rejoin returns the reports of all groups: one frame for each IPv4 group, and as few as
// hold all IPv6 groups of a station.
func Rejoin(a Aggregate, stations []agg.Station) (frames [][]byte) {
	for _, s := range stations {
		frames = append(frames, rejoin4(a, s)...)
		frames = append(frames, rejoin6(a, s)...)
		frames = append(frames, Rejoin(a, s.Above)...)
	}
	return frames
}

func rejoin4(a Aggregate, s agg.Station) (frames [][]byte) {
	src := first(s.Addresses, netip.IPv4Unspecified(), netip.Addr.Is4)
	for _, g := range s.Groups {
		if g.Address.Is4() {
			frames = append(frames, igmp.AppendReport(nil, a.of(s), src, s.IGMP, g.Address, g.Sources, s.Tags))
		}
	}
	return frames
}

func rejoin6(a Aggregate, s agg.Station) (frames [][]byte) {
	src := first(s.Addresses, netip.IPv6Unspecified(), func(ip netip.Addr) bool { return ip.Is6() && ip.IsLinkLocalUnicast() })
	var records []mld.Record
	for _, g := range s.Groups {
		if g.Address.Is6() {
			records = append(records, mld.Record{Group: g.Address, Sources: g.Sources})
		}
	}
	mtu := a.MTU
	if mtu == 0 {
		mtu = 1500
	}
	for len(records) > 0 {
		n := mld.Fit(records, mtu)
		frames = append(frames, mld.AppendReport(nil, a.of(s), src, records[:n], s.Tags))
		records = records[n:]
	}
	return frames
}

// first returns the first address that fits, without a zone, or the other.
func first(addresses []netip.Addr, other netip.Addr, fits func(netip.Addr) bool) netip.Addr {
	for _, ip := range addresses {
		if fits(ip) {
			return ip.WithZone("")
		}
	}
	return other
}

// Count returns the numbers of addresses and of groups of the stations.
func Count(stations []agg.Station) (addresses, groups int) {
	for _, s := range stations {
		a, g := Count(s.Above)
		addresses, groups = addresses+len(s.Addresses)+a, groups+len(s.Groups)+g
	}
	return addresses, groups
}
