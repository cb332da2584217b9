package mld

import (
	"encoding/hex"
	"net/netip"
	"testing"

	"github.com/yokelag/yoke/wire"
)

var mac = [6]byte{2, 0, 0, 0, 1, 0xee}

// What Linux 6.1 sent for a bond with two IPv6 addresses after a failover.
const linuxReport = "3333000000160200000001ee86dd" +
	"6000000000380001fe80000000000000000000fffe0001eeff020000000000000000000000000016" +
	"3a00050200000100" + "8f00701200000002" +
	"02000000ff0200000000000000000001ff000001" + "02000000ff0200000000000000000001ff0001ee"

func TestReportIsTheFrameOfLinux(t *testing.T) {
	records := []Record{{Group: netip.MustParseAddr("ff02::1:ff00:1")}, {Group: netip.MustParseAddr("ff02::1:ff00:1ee")}}
	got := AppendReport(nil, mac, netip.MustParseAddr("fe80::ff:fe00:1ee"), records, wire.Tags{})
	if hex.EncodeToString(got) != linuxReport {
		t.Errorf("got  %x\nwant %s", got, linuxReport)
	}
}

func TestFit(t *testing.T) {
	many := make([]Record, 200)
	for i := range many {
		many[i].Group = netip.MustParseAddr("ff05::1")
	}
	n := Fit(many, 1500)
	if n != 72 {
		t.Errorf("%d records in 1500 bytes, not 72", n)
	}
	frame := AppendReport(nil, mac, netip.IPv6Unspecified(), many[:n], wire.Tags{})
	if got := len(frame) - wire.EthernetLen; got > 1500 {
		t.Errorf("the packet has %d bytes", got)
	}
	if Fit(many, 60) != 1 || Fit(nil, 1500) != 0 {
		t.Error("one record must always fit, and none where there is none")
	}
}

func TestSourcesMakeAnInclude(t *testing.T) {
	r := Record{Group: netip.MustParseAddr("ff3e::1"), Sources: []netip.Addr{netip.MustParseAddr("2001:db8::9")}}
	if b := r.appendTo(nil); b[0] != isInclude || b[3] != 1 || len(b) != r.length() {
		t.Errorf("record %x", b)
	}
}
