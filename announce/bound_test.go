package announce

import (
	"net/netip"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// many are n addresses.
func many(n int) (out []netip.Addr) {
	ip := netip.MustParseAddr("10.0.0.1")
	for range n {
		out = append(out, ip)
		ip = ip.Next()
	}
	return out
}

func TestBound(t *testing.T) {
	stations := func(below, above, groups int) []agg.Station {
		up := agg.Station{Name: "bond0.7", Addresses: many(above)}
		for _, ip := range many(groups) {
			up.Groups = append(up.Groups, agg.Group{Address: ip})
		}
		return []agg.Station{{Name: "bond0", Addresses: many(below), Above: []agg.Station{up}}}
	}
	for _, c := range []struct{ below, above, groups, leftAddresses, leftGroups int }{
		{1, 1, 1, 0, 0},
		{1, Limit - 1, Limit, 0, 0},
		{1, Limit, Limit, 1, 0},
		{65000, 2, Limit + 3, 65002 - Limit, 3},
	} {
		before := stations(c.below, c.above, c.groups)
		got, addresses, groups := Bound(before)
		if addresses != c.leftAddresses || groups != c.leftGroups {
			t.Errorf("%+v: left out %d addresses and %d groups", c, addresses, groups)
		}
		a, g := Count(got)
		if a != c.below+c.above-addresses || g != c.groups-groups || len(got[0].Addresses) != min(c.below, Limit) {
			t.Errorf("%+v: %d addresses and %d groups are left, %d below", c, a, g, len(got[0].Addresses))
		}
		if a, g := Count(before); a != c.below+c.above || g != c.groups {
			t.Errorf("%+v: the stations themselves were changed", c)
		}
	}
}
