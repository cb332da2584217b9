package device

import (
	"cmp"
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/wire"
)

// Stations tells who speaks by the aggregate's device: the device itself and the VLANs and
// macvlans above it in its namespace, as they are now. One that is down says nothing, and
// neither does what is above it. An aggregate without a device has none.
func Stations(aggregate string) ([]agg.Station, error) {
	p, found, err := Find(aggregate)
	if err != nil {
		return nil, err
	}
	if !found {
		return stationsOfDriver(aggregate)
	}
	defer p.Close()
	var out []agg.Station
	read := func() (err error) {
		out, err = stationsOn(p.Outer)
		return err
	}
	err = p.do("read who speaks by", func() error { return p.atOuter(read) })
	if iface.IsAbsent(err) {
		return nil, nil
	}
	return out, err
}

// stationsOfDriver is the same for an aggregate whose device is a driver's own.
func stationsOfDriver(aggregate string) ([]agg.Station, error) {
	l, err := iface.ByName(aggregate, iface.Here)
	if iface.IsAbsent(err) || err == nil && l.Kind != "team" && l.Kind != "bond" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out, err := stationsOn(l.Index)
	if iface.IsAbsent(err) {
		return nil, nil
	}
	return out, err
}

// surveyor reads stations in the namespace of the calling thread.
type surveyor struct {
	above   map[int][]iface.Link // by the interface below
	members memberships
	mac     agg.MAC // the aggregate's
}

func stationsOn(index int) ([]agg.Station, error) {
	base, err := iface.ByIndex(index, iface.Here)
	if err != nil {
		return nil, err
	}
	uppers, err := iface.OfKinds("vlan", "macvlan")
	if err != nil {
		return nil, err
	}
	s := surveyor{above: map[int][]iface.Link{}, members: readMemberships(), mac: macOf(base)}
	slices.SortFunc(uppers, func(a, b iface.Link) int { return cmp.Compare(a.Index, b.Index) })
	for _, l := range uppers {
		if l.NetNsID == iface.Here {
			s.above[l.ParentIndex] = append(s.above[l.ParentIndex], l)
		}
	}
	return s.survey([]iface.Link{base}, nil)
}

func macOf(l iface.Link) (mac agg.MAC) {
	copy(mac[:], l.HardwareAddr)
	return mac
}

// survey describes the links, whose frames have the tags and those of their own.
func (s *surveyor) survey(links []iface.Link, tags []wire.VLAN) (out []agg.Station, err error) {
	for _, l := range links {
		own := tags
		if l.VLAN != (wire.VLAN{}) {
			own = append(slices.Clone(tags), l.VLAN)
		}
		stack, tooMany := wire.MakeTags(own...)
		if !l.AdminUp() || tooMany != nil {
			continue
		}
		one, err := s.station(l, stack)
		if err != nil {
			return nil, err
		}
		if one.Above, err = s.survey(s.above[l.Index], own); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func (s *surveyor) station(l iface.Link, tags wire.Tags) (agg.Station, error) {
	groups, err := s.members.of(l.Index)
	if err != nil {
		return agg.Station{}, err
	}
	out := agg.Station{Name: shown(l.Name), Tags: tags, IGMP: s.members.version[l.Index], Groups: groups}
	if mac := macOf(l); mac != s.mac {
		out.MAC = mac
	}
	forwarding, err := iface.Sysctl("ipv6", l.Name, "forwarding")
	out.Router = err == nil && forwarding != "0" // without IPv6 there is no such file
	addresses, err := iface.Addresses(l.Index, iface.Here)
	for _, a := range addresses {
		if ip := a.Prefix.Addr(); a.Usable() && announced(ip) {
			out.Addresses = append(out.Addresses, ip)
		}
	}
	return out, err
}
