package nd

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"testing"

	"github.com/yokelag/yoke/wire"
)

var mac = [6]byte{2, 0, 0, 0, 1, 0}

// The frame that Linux 6.1 sent for a bond with 2001:db8::1 after a failover.
const linuxFrame = "333300000001020000000100" + "86dd" + "6000000000203aff" +
	"20010db8000000000000000000000001" + "ff020000000000000000000000000001" +
	"8800f82b20000000" + "20010db8000000000000000000000001" + "0201020000000100"

func TestUnsolicitedIsTheFrameOfLinux(t *testing.T) {
	got := AppendUnsolicited(nil, mac, netip.MustParseAddr("2001:db8::1"), false, wire.Tags{})
	if hex.EncodeToString(got) != linuxFrame {
		t.Errorf("got  %x\nwant %s", got, linuxFrame)
	}
	_, packet, err := wire.ParseEthernet(got)
	if err != nil {
		t.Fatal(err)
	}
	ip, payload, err := wire.ParseIPv6(packet)
	if err != nil || ip.HopLimit != 255 {
		t.Fatalf("%+v, %v", ip, err)
	}
	m, err := Parse(payload)
	if err != nil || m.Flags != FlagOverride || m.Target != ip.Src {
		t.Errorf("read back as %+v, %v", m, err)
	}
	if got, ok := m.MAC(OptionTargetMAC); !ok || got != mac {
		t.Errorf("option holds %x, %v", got, ok)
	}
	if _, ok := m.MAC(OptionSourceMAC); ok {
		t.Error("an option that is not there was found")
	}
}

func TestParseRefuses(t *testing.T) {
	a := netip.MustParseAddr("2001:db8::1")
	good := Message{Type: Solicitation, Target: a}.AppendTo(nil, a, a)
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"short":              {good[:23], Short},
		"echo":               {append([]byte{128}, good[1:]...), Other},
		"option of length 0": {append(good[:24:24], 1, 0, 0, 0), BadOption},
		"cut option":         {append(good[:24:24], 1, 1, 0, 0), BadOption},
		"right":              {good, nil},
	} {
		if _, err := Parse(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	frame, _ := hex.DecodeString(linuxFrame)
	f.Add(frame[wire.EthernetLen+wire.IPv6Len:])
	a := netip.MustParseAddr("2001:db8::1")
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		m.MAC(OptionTargetMAC)
		again, err := Parse(m.AppendTo(nil, a, a))
		if err != nil || again.Type != m.Type || again.Flags != m.Flags || again.Target != m.Target || string(again.Options) != string(m.Options) {
			t.Errorf("%+v came back as %+v, %v", m, again, err)
		}
	})
}
