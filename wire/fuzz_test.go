package wire

import (
	"bytes"
	"errors"
	"testing"
)

// FuzzEthernet: what parses comes out again byte for byte, all else is a Drop.
func FuzzEthernet(f *testing.F) {
	for _, flow := range flows(f) {
		f.Add(flow.AppendTo(nil, []byte{1}))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		h, payload, err := ParseEthernet(frame)
		if err != nil {
			mustBeDrop(t, err)
			return
		}
		if again := append(h.AppendTo(nil), payload...); !bytes.Equal(again, frame) {
			t.Errorf("%x came back as %x", frame, again)
		}
		if err := walk(frame); err != nil {
			mustBeDrop(t, err)
		}
	})
}

// FuzzIP: headers survive a round trip; the checksum of IPv4 is made new.
func FuzzIP(f *testing.F) {
	for _, flow := range flows(f) {
		if flow.Src.IsValid() {
			_, packet, _ := ParseEthernet(flow.AppendTo(nil, []byte{1}))
			f.Add(packet)
		}
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		if h, _, err := ParseIPv4(packet); err == nil {
			again := h.AppendTo(nil)
			again[10], again[11] = packet[10], packet[11]
			if !bytes.Equal(again, packet[:len(again)]) {
				t.Errorf("IPv4 %x came back as %x", packet[:len(again)], again)
			}
		} else {
			mustBeDrop(t, err)
		}
		if h, _, err := ParseIPv6(packet); err == nil {
			if again := h.AppendTo(nil); !bytes.Equal(again, packet[:IPv6Len]) {
				t.Errorf("IPv6 %x came back as %x", packet[:IPv6Len], again)
			}
		} else {
			mustBeDrop(t, err)
		}
	})
}

// FuzzTransport: so do the headers above IP.
func FuzzTransport(f *testing.F) {
	f.Add([]byte{0, 1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0x61, 0x10, 1, 2, 3, 4, 5, 6, 1, 1, 1, 0, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, payload, err := ParseTCP(b); err == nil {
			if again := append(h.AppendTo(nil), payload...); !bytes.Equal(again, b) {
				t.Errorf("TCP %x came back as %x", b, again)
			}
		}
		if h, payload, err := ParseUDP(b); err == nil {
			if again := append(h.AppendTo(nil), payload...); !bytes.Equal(again, b) {
				t.Errorf("UDP %x came back as %x", b, again)
			}
		}
		if h, payload, err := ParseICMP(b); err == nil {
			if again := append(h.AppendTo(nil), payload...); !bytes.Equal(again, b) {
				t.Errorf("ICMP %x came back as %x", b, again)
			}
		}
	})
}

func mustBeDrop(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[Drop](err); !ok {
		t.Errorf("%v is not a Drop", err)
	}
}
