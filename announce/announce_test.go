package announce

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/wire"
)

// addrs reads addresses.
func addrs(list ...string) (out []netip.Addr) {
	for _, a := range list {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

func groups(list ...string) (out []agg.Group) {
	for _, a := range addrs(list...) {
		out = append(out, agg.Group{Address: a})
	}
	return out
}

func tags(t *testing.T, ids ...uint16) wire.Tags {
	t.Helper()
	var list []wire.VLAN
	for _, id := range ids {
		list = append(list, wire.VLAN{Type: wire.TypeVLAN, TCI: id})
	}
	out, err := wire.MakeTags(list...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// bond100 is the bond of the captures, with VLAN 100 above it; its link-local address
// ends as given.
func bond100(t *testing.T, end string) []agg.Station {
	local := "fe80::ff:fe00:" + end
	g := groups("239.1.2.3", "ff02::1:ff00:1", "ff02::1:ff00:"+end)
	return []agg.Station{{
		Name: "bond0", Addresses: addrs("192.0.2.1", "2001:db8::1", local), Groups: g,
		Above: []agg.Station{{Name: "bond0.100", Tags: tags(t, 100), Addresses: addrs("198.51.100.1", "2001:db8:100::1", local), Groups: g}},
	}}
}

// failover returns the frames in a capture that tell of the first failover: what the bond
// sent from its first announcement on, until it sent something else.
func failover(t *testing.T, file string, mac agg.MAC) (frames []string) {
	t.Helper()
	for _, f := range nstest.ReadPcap(t, file) {
		frame := f.Bytes
		if agg.MAC(frame[6:12]) != mac {
			continue
		}
		if told(frame) {
			frames = append(frames, hex.EncodeToString(frame))
		} else if len(frames) > 0 {
			return frames
		}
	}
	return frames
}

// told picks what tells of a failover: ARP for the own address, an advertisement to all,
// reports of groups.
func told(frame []byte) bool {
	eth, rest, err := wire.ParseEthernet(frame)
	if err != nil {
		return false
	}
	switch eth.Type {
	case wire.TypeARP:
		return slices.Equal(rest[14:18], rest[24:28])
	case wire.TypeIPv4:
		return rest[9] == byte(wire.ProtoIGMP)
	case wire.TypeIPv6:
		return rest[6] == 0 || rest[6] == byte(wire.ProtoICMPv6) && rest[40] == 136
	default:
		return false
	}
}

func hexes(frames ...[]byte) (out []string) {
	for _, f := range frames {
		out = append(out, hex.EncodeToString(f))
	}
	return out
}

// Byte for byte, and in the order, of the bonding driver of Linux 6.1.
func TestFramesAreThoseOfLinux(t *testing.T) {
	for _, c := range []struct {
		name, end string
		mac       agg.MAC
		bursts    string // what follows what: Notify or Rejoin
	}{
		{name: "default-vlan100", end: "1ee", mac: agg.MAC{2, 0, 0, 0, 1, 0xee}, bursts: "NR"},
		{name: "num3-delay200", end: "1ee", mac: agg.MAC{2, 0, 0, 0, 1, 0xee}, bursts: "NRNRN"},
		{name: "fail-over-mac-active", end: "100", mac: agg.MAC{2, 0, 0, 0, 1, 1}, bursts: "NR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, stations := Aggregate{MAC: c.mac, MTU: 1500}, bond100(t, c.end)
			var got []string
			for _, b := range c.bursts {
				if b == 'N' {
					got = append(got, hexes(Advertise(a, stations)...)...)
				} else {
					got = append(got, hexes(Rejoin(a, stations)...)...)
				}
			}
			want := failover(t, "testdata/"+c.name+"/port1.pcap", c.mac)
			if !slices.Equal(got, want) {
				t.Errorf("got %d frames, want %d", len(got), len(want))
				for i := range min(len(got), len(want)) {
					if got[i] != want[i] {
						t.Fatalf("frame %d\ngot  %s\nwant %s", i, got[i], want[i])
					}
				}
			}
		})
	}
}

func TestNestedVLANsAndOwnAddresses(t *testing.T) {
	own := agg.MAC{2, 0, 0, 0, 9, 9}
	stations := []agg.Station{{Above: []agg.Station{{Tags: tags(t, 100), Above: []agg.Station{
		{Tags: tags(t, 100, 7), MAC: own, Addresses: addrs("192.0.2.7"), Groups: groups("239.0.0.1")},
	}}}}}
	a := Aggregate{MAC: agg.MAC{2, 0, 0, 0, 0, 1}}
	for _, frame := range append(Advertise(a, stations), Rejoin(a, stations)...) {
		eth, _, err := wire.ParseEthernet(frame)
		if err != nil || eth.Src != own || eth.Tags != tags(t, 100, 7) {
			t.Errorf("frame from %x with %v: %v", eth.Src, eth.Tags, err)
		}
	}
	if addresses, joined := Count(stations); addresses != 1 || joined != 1 {
		t.Errorf("counted %d addresses and %d groups", addresses, joined)
	}
}

func TestSeries(t *testing.T) {
	c := Config{Notify: Series{3, 200 * time.Millisecond}, Rejoin: Series{2, 100 * time.Millisecond}}
	start := agg.Instant(time.Hour)
	s := Begin(c, start)
	var told []string
	for now := start; s.Deadline() != agg.Never; now = s.Deadline() {
		var due Due
		due, s = s.Step(c, now)
		at := now.Sub(start).String()
		if due.Notify {
			told = append(told, "N"+at)
		}
		if due.Rejoin {
			told = append(told, "R"+at)
		}
	}
	if want := []string{"N0s", "R0s", "R100ms", "N200ms", "N400ms"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

func TestNothingToTell(t *testing.T) {
	if s := Begin(Config{}, 5); s != (State{}) || s.Deadline() != agg.Never {
		t.Errorf("begun with %+v", s)
	}
}
