package arp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"testing"

	"github.com/yokelag/yoke/wire"
)

var mac = [6]byte{2, 0, 0, 0, 1, 0}

// The frame that Linux 6.1 sent for a bond with 192.0.2.1 after a failover.
const linuxFrame = "ffffffffffff020000000100" + "0806" + "0001080006040001" + "020000000100c0000201" + "000000000000c0000201"

func TestGratuitousIsTheFrameOfLinux(t *testing.T) {
	got := AppendGratuitous(nil, mac, netip.MustParseAddr("192.0.2.1"), wire.Tags{})
	if hex.EncodeToString(got) != linuxFrame {
		t.Errorf("got %x, want %s", got, linuxFrame)
	}
	_, payload, err := wire.ParseEthernet(got)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(payload)
	if err != nil || !p.IsGratuitous() || p.SenderMAC != mac {
		t.Errorf("read back as %+v, %v", p, err)
	}
}

func TestParseRefuses(t *testing.T) {
	good := Packet{Operation: Reply, SenderIP: netip.MustParseAddr("192.0.2.1"), TargetIP: netip.MustParseAddr("192.0.2.2")}.AppendTo(nil)
	if _, err := Parse(good[:27]); !errors.Is(err, Short) {
		t.Errorf("27 bytes: %v", err)
	}
	good[5] = 16
	if _, err := Parse(good); !errors.Is(err, NotIPv4) {
		t.Errorf("protocol length 16: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	frame, _ := hex.DecodeString(linuxFrame)
	f.Add(frame[wire.EthernetLen:])
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b)
		if err != nil {
			return
		}
		if again := p.AppendTo(nil); !bytes.Equal(again, b[:Len]) {
			t.Errorf("%x came back as %x", b[:Len], again)
		}
	})
}
