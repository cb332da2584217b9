package policy

import (
	"testing"

	"github.com/yokelag/yoke/agg"
)

func TestClassOf(t *testing.T) {
	const group, unicast = "\x01\x00\x5e\x00\x00\x01", "\x02\x00\x00\x00\x00\x01"
	const source = "\x02\x00\x00\x00\x00\x02"
	ip4 := func(proto byte, fragment string, l4 string) string {
		return "\x08\x00" + "\x45\x00\x00\x00\x00\x00" + fragment + "\x40" + string(proto) + "\x00\x00" + "\x0a\x00\x00\x01\x0a\x00\x00\x02" + l4
	}
	ip6 := func(next byte, l4 string) string {
		return "\x86\xdd" + "\x60\x00\x00\x00\x00\x00" + string(next) + "\xff" + string(make([]byte, 32)) + l4
	}
	for _, tc := range []struct {
		name, frame string
		want        agg.FrameClass
	}{
		{"cut", "\x02", agg.ClassNotIP},
		{"slow", "\x01\x80\xc2\x00\x00\x02" + source + "\x88\x09\x01", agg.ClassSlow | agg.ClassGroup | agg.ClassNotIP},
		{"arp", unicast + source + "\x08\x06", agg.ClassARP | agg.ClassNeighbor | agg.ClassNotIP},
		{"tag in the frame", group + source + "\x81\x00\x00\x05\x08\x06", agg.ClassGroup | agg.ClassNotIP},
		{"igmp", group + source + ip4(2, "\x00\x00", ""), agg.ClassIGMP | agg.ClassGroup},
		{"igmp fragment", group + source + ip4(2, "\x00\x01", ""), agg.ClassGroup},
		{"bfd", unicast + source + ip4(17, "\x40\x00", "\xc0\x00\x1a\x80"), agg.ClassBFD},
		{"other udp", unicast + source + ip4(17, "\x40\x00", "\x1a\x80\x00\x35"), 0},
		{"cut ip", unicast + source + "\x08\x00\x45", 0},
		{"neighbour solicitation", unicast + source + ip6(58, "\x87"), agg.ClassNeighbor},
		{"neighbour advertisement", unicast + source + ip6(58, "\x88"), agg.ClassNeighbor},
		{"echo", unicast + source + ip6(58, "\x80"), 0},
		{"bfd over IPv6", unicast + source + ip6(17, "\xc0\x00\x1a\x80"), agg.ClassBFD},
		{"cut IPv6", unicast + source + ip6(58, ""), 0},
	} {
		if got := ClassOf([]byte(tc.frame)); got != tc.want {
			t.Errorf("%s: %b, want %b", tc.name, got, tc.want)
		}
	}
}
