package igmp

import (
	"encoding/hex"
	"net/netip"
	"testing"

	"github.com/yokelag/yoke/wire"
)

var mac = [6]byte{2, 0, 0, 0, 1, 0xee}

// What Linux 6.1 sent for a group joined on a bond, and on VLAN 100 above it, after a
// failover.
const (
	linuxReport = "01005e0000160200000001ee0800" + "46c0002800004000010241f8c0000201e000001694040000" + "2200eaf90000000102000000ef010203"
	linuxTagged = "01005e0000160200000001ee810000640800" + "46c00028000040000102d9c4c6336401e000001694040000" + "2200eaf90000000102000000ef010203"
)

func TestReportIsTheFrameOfLinux(t *testing.T) {
	group := netip.MustParseAddr("239.1.2.3")
	vlan, err := wire.MakeTags(wire.VLAN{Type: wire.TypeVLAN, TCI: 100})
	if err != nil {
		t.Fatal(err)
	}
	for want, got := range map[string][]byte{
		linuxReport: AppendReport(nil, mac, netip.MustParseAddr("192.0.2.1"), 3, group, nil, wire.Tags{}),
		linuxTagged: AppendReport(nil, mac, netip.MustParseAddr("198.51.100.1"), 3, group, nil, vlan),
	} {
		if hex.EncodeToString(got) != want {
			t.Errorf("got  %x\nwant %s", got, want)
		}
	}
}

func TestReportsOfOldRoutersGoToTheGroup(t *testing.T) {
	group := netip.MustParseAddr("239.129.2.3")
	for version, kind := range map[int]byte{1: ReportV1, 2: ReportV2} {
		frame := AppendReport(nil, mac, netip.IPv4Unspecified(), version, group, nil, wire.Tags{})
		eth, rest, err := wire.ParseEthernet(frame)
		if err != nil || eth.Dst != [6]byte{1, 0, 0x5e, 1, 2, 3} {
			t.Errorf("version %d goes to %x: %v", version, eth.Dst, err)
		}
		ip, message, err := wire.ParseIPv4(rest)
		if err != nil || ip.Dst != group || ip.TTL != 1 || message[0] != kind || wire.Checksum(message, 0) != 0 {
			t.Errorf("version %d: %+v, %x, %v", version, ip, message, err)
		}
	}
}

func TestReportNamesSources(t *testing.T) {
	frame := AppendReport(nil, mac, netip.IPv4Unspecified(), 3, netip.MustParseAddr("232.1.1.1"),
		[]netip.Addr{netip.MustParseAddr("192.0.2.9")}, wire.Tags{})
	want := "01000001e8010101c0000209"
	if got := hex.EncodeToString(frame[len(frame)-12:]); got != want {
		t.Errorf("record %s, want %s", got, want)
	}
}
