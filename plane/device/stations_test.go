package device

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/wire"
)

func stations(t *testing.T, ns *nstest.NS, name string) (out []agg.Station) {
	t.Helper()
	ns.Do(func() {
		var err error
		if out, err = Stations(name); err != nil {
			t.Fatal(err)
		}
	})
	return out
}

// A macvlan above the aggregate speaks by it with an address of its own; one that is down
// says nothing.
func TestStationsWithMacvlan(t *testing.T) {
	nstest.Require(t, "macvlan")
	ns := newNS(t)
	ensured(t, ns, Options{Name: "bond0", MAC: agg.MAC{2, 0, 0, 0, 0, 5}})
	ip := func(words ...string) { t.Helper(); nstest.Command(t, ns, "ip", words...) }
	ip("addr", "add", "192.0.2.1/24", "dev", "bond0")
	ip("link", "add", "link", "bond0", "name", "mv0", "address", "02:00:00:00:00:99", "up", "type", "macvlan", "mode", "bridge")
	ip("addr", "add", "192.0.2.9/24", "dev", "mv0")
	ip("link", "add", "link", "bond0", "name", "mv1", "type", "macvlan", "mode", "bridge")
	got := stations(t, ns, "bond0")
	if len(got) != 1 || len(got[0].Above) != 1 || !got[0].MAC.IsZero() || got[0].IGMP != 3 {
		t.Fatalf("got %+v", got)
	}
	mv := got[0].Above[0]
	if mv.Name != "mv0" || mv.MAC != (agg.MAC{2, 0, 0, 0, 0, 0x99}) || !slices.Contains(mv.Addresses, netip.MustParseAddr("192.0.2.9")) {
		t.Errorf("got %+v", mv)
	}
	ip("link", "set", "bond0", "down")
	if got := stations(t, ns, "bond0"); len(got) != 0 {
		t.Errorf("a device that is down speaks: %+v", got)
	}
}

// Nested VLANs have a tag each, also where the aggregate lives in another namespace.
func TestStationsWithVLANs(t *testing.T) {
	nstest.Require(t, "vlan")
	ns, other := newNS(t), newNS(t)
	ensured(t, ns, Options{Name: "bond0"})
	if err := ns.Handle().LinkSetNsFd(ns.Link("bond0"), other.FD()); err != nil {
		t.Fatal(err)
	}
	for _, words := range [][]string{
		{"link", "set", "bond0", "up"},
		{"link", "add", "link", "bond0", "name", "v100", "up", "type", "vlan", "proto", "802.1ad", "id", "100"},
		{"link", "add", "link", "v100", "name", "v7", "up", "type", "vlan", "id", "7"},
		{"addr", "add", "198.51.100.7/24", "dev", "v7"},
	} {
		nstest.Command(t, other, "ip", words...)
	}
	got := stations(t, ns, "bond0")
	if len(got) != 1 || len(got[0].Above) != 1 || len(got[0].Above[0].Above) != 1 {
		t.Fatalf("got %+v", got)
	}
	inner := got[0].Above[0].Above[0]
	want, err := wire.MakeTags(wire.VLAN{Type: wire.TypeQinQ, TCI: 100}, wire.VLAN{Type: wire.TypeVLAN, TCI: 7})
	if err != nil || inner.Tags != want || inner.Addresses[0] != netip.MustParseAddr("198.51.100.7") || !inner.MAC.IsZero() {
		t.Errorf("got %+v, %v", inner, err)
	}
}
