package device

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"reflect"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// hostNumber is an IPv4 address as /proc/net/igmp writes it.
func hostNumber(a string) string {
	b := netip.MustParseAddr(a).As4()
	return fmt.Sprintf("%08X", binary.NativeEndian.Uint32(b[:]))
}

func TestMemberships(t *testing.T) {
	m := newMemberships()
	m.sources = map[int]map[netip.Addr][]netip.Addr{}
	m.readIGMP("Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n" +
		"1\tlo        :     1      V3\n\t\t\t\t" + hostNumber("224.0.0.1") + "     1 0:00000000\t\t0\n" +
		"7\tbond0     :     3      V2\n\t\t\t\t" + hostNumber("239.1.2.3") + "     1 0:00000000\t\t1\n" +
		"\t\t\t\t" + hostNumber("232.1.1.1") + "     1 0:00000000\t\t1\n\t\t\t\t" + hostNumber("224.0.0.1") + "     1 0:00000000\t\t0\n")
	six := []netip.Addr{
		netip.MustParseAddr("ff02::1:ff00:1"), netip.MustParseAddr("ff02::1"), netip.MustParseAddr("ff01::1"),
	}
	m.readFilters("Idx Device        MCA        SRC    INC    EXC\n" +
		"  7  bond0 0xe8010101 0xc0000209      1      0\n  7  bond0 0xef010203 0xc0000209      1      0\n")
	want := []agg.Group{
		{Address: netip.MustParseAddr("239.1.2.3")},
		{Address: netip.MustParseAddr("232.1.1.1"), Sources: []netip.Addr{netip.MustParseAddr("192.0.2.9")}},
		{Address: netip.MustParseAddr("ff02::1:ff00:1")},
	}
	if got := m.with(7, six); !reflect.DeepEqual(got, want) {
		t.Errorf("groups %v, want %v", got, want)
	}
	if m.version[7] != 2 || m.version[1] != 3 || len(m.with(1, nil)) != 0 {
		t.Errorf("versions %v, groups of lo %v", m.version, m.groups[1])
	}
}
