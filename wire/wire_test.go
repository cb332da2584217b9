package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"testing"
)

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestEthernetTable(t *testing.T) {
	const macs = "020000000002020000000001"
	for _, c := range []struct {
		name, frame string
		tags        []VLAN
		kind        EtherType
		payload     string
		err         error
	}{
		{name: "plain", frame: macs + "0800aabb", kind: TypeIPv4, payload: "aabb"},
		{name: "tagged", frame: macs + "8100606408060102", tags: []VLAN{{TypeVLAN, 0x6064}}, kind: TypeARP, payload: "0102"},
		{name: "stacked", frame: macs + "88a8000a8100001486dd", tags: []VLAN{{TypeQinQ, 10}, {TypeVLAN, 20}}, kind: TypeIPv6},
		{name: "802.3 length", frame: macs + "0003424203", kind: 3, payload: "424203"},
		{name: "short", frame: macs + "08", err: ShortEthernet},
		{name: "short tag", frame: macs + "81000001", err: ShortEthernet},
		{name: "five tags", frame: macs + "81000001810000018100000181000001810000010800", err: TooManyTags},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, payload, err := ParseEthernet(unhex(t, c.frame))
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if err != nil {
				return
			}
			if h.Type != c.kind || hex.EncodeToString(payload) != c.payload || h.Tags.Len() != len(c.tags) {
				t.Errorf("got %+v, payload %x", h, payload)
			}
			for i, want := range c.tags {
				if h.Tags.At(i) != want {
					t.Errorf("tag %d is %+v, want %+v", i, h.Tags.At(i), want)
				}
			}
			if again := append(h.AppendTo(nil), payload...); hex.EncodeToString(again) != c.frame {
				t.Errorf("appended %x, want %s", again, c.frame)
			}
		})
	}
}

func TestVLANFields(t *testing.T) {
	if v := (VLAN{TypeVLAN, 0x6064}); v.ID() != 100 || v.Priority() != 3 {
		t.Errorf("id %d, priority %d", v.ID(), v.Priority())
	}
}

func TestIPv4Refusals(t *testing.T) {
	good := IPv4{TotalLen: 24, TTL: 1, Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")}.AppendTo(nil)
	good = append(good, 1, 2, 3, 4)
	spoil := func(at int, value byte) []byte {
		b := bytes.Clone(good)
		b[at] = value
		return b
	}
	for _, c := range []struct {
		name  string
		frame []byte
		want  error
	}{
		{"right", good, nil},
		{"cut header", good[:19], ShortIPv4},
		{"cut payload", good[:22], ShortIPv4},
		{"version 5", spoil(0, 0x55), BadIPv4},
		{"header of 16 bytes", spoil(0, 0x44), BadIPv4},
		{"header beyond the end", spoil(0, 0x4f), ShortIPv4},
		{"total below header", spoil(3, 10), BadIPv4},
	} {
		if _, _, err := ParseIPv4(c.frame); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if Checksum(good[:IPv4Len], 0) != 0 {
		t.Error("the header's checksum is wrong")
	}
}

func TestIPv6Refusals(t *testing.T) {
	a := netip.MustParseAddr("2001:db8::1")
	good := append(IPv6{PayloadLen: 2, NextHeader: ProtoUDP, Src: a, Dst: a}.AppendTo(nil), 1, 2)
	if _, payload, err := ParseIPv6(append(bytes.Clone(good), 9, 9)); err != nil || len(payload) != 2 {
		t.Errorf("padding was not left out: %x, %v", payload, err)
	}
	if _, _, err := ParseIPv6(good[:41]); !errors.Is(err, ShortIPv6) {
		t.Errorf("cut payload: %v", err)
	}
	if _, _, err := ParseIPv6(append([]byte{0x40}, good[1:]...)); !errors.Is(err, BadIPv6) {
		t.Errorf("version 4: %v", err)
	}
}

// The worked example of RFC 1071 section 3.
func TestChecksumOfRFC1071(t *testing.T) {
	if got := Checksum([]byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}, 0); got != ^uint16(0xddf2) {
		t.Errorf("got %04x", got)
	}
	if Checksum([]byte{1}, 0) != ^uint16(0x0100) {
		t.Error("an odd byte is not padded at its right")
	}
}

func flows(tb testing.TB) []Flow {
	tb.Helper()
	var out []Flow
	for _, text := range []string{
		"src=192.0.2.1,dst=192.0.2.2,proto=udp,sport=5000,dport=53,smac=02:00:00:00:00:01,dmac=02:00:00:00:00:02",
		"src=192.0.2.1,dst=192.0.2.2,sport=5000,dport=80,vlan=7",
		"src=192.0.2.1,dst=192.0.2.2,proto=icmp,id=9",
		"src=2001:db8::1,dst=2001:db8::2,proto=udp,sport=5000,dport=53,vlan=7,vlan=8",
		"src=2001:db8::1,dst=2001:db8::2,proto=tcp,sport=5000,dport=80",
		"src=2001:db8::1,dst=2001:db8::2,proto=icmp,id=9",
		"src=192.0.2.1,dst=192.0.2.2,proto=47",
		"type=0x88cc",
	} {
		f, err := ParseFlow(text)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

// A frame that a flow makes is read back field by field, and its checksums are right.
func TestFlowMakesReadableFrames(t *testing.T) {
	for _, f := range flows(t) {
		frame := f.AppendTo(nil, []byte("payload"))
		h, rest, err := ParseEthernet(frame)
		if err != nil || h.Src != f.SrcMAC || h.Dst != f.DstMAC || h.Tags != f.Tags {
			t.Fatalf("%+v: %v, %+v", f, err, h)
		}
		if !f.Src.IsValid() {
			continue
		}
		var src, dst netip.Addr
		var proto Protocol
		if h.Type == TypeIPv4 {
			ip, payload, err := ParseIPv4(rest)
			if err != nil || Checksum(rest[:IPv4Len], 0) != 0 {
				t.Fatalf("%+v: %v", f, err)
			}
			src, dst, proto, rest = ip.Src, ip.Dst, ip.Protocol, payload
		} else {
			ip, payload, err := ParseIPv6(rest)
			if err != nil {
				t.Fatalf("%+v: %v", f, err)
			}
			src, dst, proto, rest = ip.Src, ip.Dst, ip.NextHeader, payload
		}
		if src != f.Src || dst != f.Dst || proto != f.Protocol {
			t.Errorf("%+v came back as %v %v %v", f, src, dst, proto)
		}
		checkTransport(t, f, rest)
	}
}

func checkTransport(t *testing.T, f Flow, b []byte) {
	t.Helper()
	partial := PseudoHeader(f.Src, f.Dst, f.Protocol, len(b))
	var sport, dport uint16
	var rest []byte
	var err error
	switch f.Protocol {
	case ProtoUDP:
		var h UDP
		h, rest, err = ParseUDP(b)
		sport, dport = h.SrcPort, h.DstPort
	case ProtoTCP:
		var h TCP
		h, rest, err = ParseTCP(b)
		sport, dport = h.SrcPort, h.DstPort
	case ProtoICMP, ProtoICMPv6:
		var h ICMP
		h, rest, err = ParseICMP(b)
		sport = h.ID
		if f.Protocol == ProtoICMP {
			partial = 0
		}
	default:
		return
	}
	if err != nil || sport != f.SrcPort || dport != f.DstPort || string(rest) != "payload" {
		t.Errorf("%v: ports %d, %d, %q, %v", f.Protocol, sport, dport, rest, err)
	}
	if Checksum(b, partial) != 0 {
		t.Errorf("%v: the checksum is wrong", f.Protocol)
	}
}

func TestParseFlowRefusals(t *testing.T) {
	for text, want := range map[string]string{
		"src":                                `flow: "src" is not key=value; write it as src=192.0.2.1,dst=192.0.2.2,proto=udp,sport=5000,dport=53`,
		"src=192.0.2.1":                      "flow: src and dst must both be given, and be of the same family",
		"src=192.0.2.1,dst=::1":              "flow: src and dst must both be given, and be of the same family",
		"src=192.0.2.1,src=1.1.1.1":          "flow: src is given twice",
		"src=1,dst=192.0.2.1":                "flow: src=1: must be an address such as 192.0.2.1 or 2001:db8::1",
		"src=192.0.2.1,dst=host":             "flow: dst=host: must be an address such as 192.0.2.1 or 2001:db8::1",
		"proto=tcp":                          "flow: proto and ports need src and dst",
		"sport=70000":                        "flow: sport=70000: must be a number from 0 to 65535",
		"vlan=4096":                          "flow: vlan=4096: must be a number from 0 to 4095",
		"proto=quic":                         "flow: proto=quic: must be tcp, udp, icmp, icmpv6 or a number from 0 to 255",
		"colour=red":                         "flow: colour=red: there is no such key; known are src, dst, proto, sport, dport, id, smac, dmac, vlan, type",
		"vlan=1,vlan=2,vlan=3,vlan=4,vlan=5": "flow: at most 4 tags",
	} {
		if _, err := ParseFlow(text); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestParsingDoesNotAllocate(t *testing.T) {
	var frames [][]byte
	for _, f := range flows(t) {
		frames = append(frames, f.AppendTo(nil, nil))
	}
	if n := testing.AllocsPerRun(100, func() {
		for _, frame := range frames {
			walk(frame)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// walk reads a frame as far as wire can and returns the first error.
func walk(frame []byte) error {
	h, rest, err := ParseEthernet(frame)
	if err != nil {
		return err
	}
	var proto Protocol
	switch h.Type {
	case TypeIPv4:
		var ip IPv4
		if ip, rest, err = ParseIPv4(rest); err != nil {
			return err
		}
		proto = ip.Protocol
	case TypeIPv6:
		var ip IPv6
		if ip, rest, err = ParseIPv6(rest); err != nil {
			return err
		}
		proto = ip.NextHeader
	default:
		return nil
	}
	switch proto {
	case ProtoTCP:
		_, _, err = ParseTCP(rest)
	case ProtoUDP:
		_, _, err = ParseUDP(rest)
	case ProtoICMP, ProtoICMPv6:
		_, _, err = ParseICMP(rest)
	default: // nothing more to parse
	}
	return err
}
