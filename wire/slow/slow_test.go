package slow

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/yokelag/yoke/wire"
)

// frames reads a capture file of the old format, little-endian.
func frames(t testing.TB, file string) [][]byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if m := binary.LittleEndian.Uint32(b); m != 0xa1b2c3d4 && m != 0xa1b23c4d {
		t.Fatalf("%s: magic %x", file, m)
	}
	var out [][]byte
	for b = b[24:]; len(b) >= 16; {
		n := binary.LittleEndian.Uint32(b[8:])
		out = append(out, b[16:16+n])
		b = b[16+n:]
	}
	return out
}

func captures(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.pcap")
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	return files
}

// What Linux bonding 6.1, Open vSwitch 3.1 and teamd 1.31 sent comes out again byte for byte.
// A capture is of one cable, both ways, and is named by who was at its ends and how. Each run
// had two cables: the other one's capture has its port or wire behind the name.
func TestCapturesComeBack(t *testing.T) {
	for _, file := range captures(t) {
		seen := 0
		for i, frame := range frames(t, file) {
			f, err := Parse(frame, Addr{})
			if errors.Is(err, NotSlow) {
				continue
			}
			if err != nil || f.Subtype != SubtypeLACP {
				t.Errorf("%s: frame %d: %v", file, i, err)
				continue
			}
			p, err := ParseLACPDU(f.Payload)
			if err != nil {
				t.Errorf("%s: frame %d: %v", file, i, err)
				continue
			}
			if again := p.AppendFrame(nil, f.Dst, f.Src); !bytes.Equal(again, frame) {
				t.Errorf("%s: frame %d: %x came back as %x", file, i, frame, again)
			}
			seen++
		}
		if seen == 0 {
			t.Errorf("%s holds no LACPDU", file)
		}
	}
}

func goodPDU() []byte {
	p := LACPDU{
		Version: Version1,
		Actor:   Info{SystemPriority: 1, System: Addr{2, 0, 0, 0, 0, 1}, Key: 15, PortPriority: 255, Port: 7, State: 0x3d},
		Partner: Info{SystemPriority: 0x100, System: Addr{2, 0, 0, 0, 0, 2}, Key: 9, PortPriority: 255, Port: 3, State: 0x3f}, MaxDelay: 5,
	}
	return p.AppendTo(nil)
}

// TestMalformed walks every row that a parser decides.
func TestMalformed(t *testing.T) {
	src := Addr{2, 0, 0, 0, 0, 1}
	lacpdu := func(change func([]byte)) []byte {
		b := goodPDU()
		change(b)
		return append(header(nil, Group(), src), b...)
	}
	marker := func(change func([]byte)) []byte {
		b := (&Marker{Version: 1, Type: MarkerInformation, Port: 7, System: src, Transaction: 9}).AppendTo(nil)
		change(b)
		return append(header(nil, Group(), src), b...)
	}
	tagged := func(id uint16) []byte {
		tags, err := wire.MakeTags(wire.VLAN{Type: wire.TypeVLAN, TCI: id})
		if err != nil {
			t.Fatal(err)
		}
		return append(wire.Ethernet{Dst: Group(), Src: src, Tags: tags, Type: wire.TypeSlow}.AppendTo(nil), goodPDU()...)
	}
	set := func(at int, v byte) func([]byte) { return func(b []byte) { b[at] = v } }
	none := func([]byte) {}
	for _, c := range []struct {
		name    string
		frame   []byte
		want    wire.Drop
		counter Counter
	}{
		{"good", lacpdu(none), "", CountNothing},
		{"subtype 0", lacpdu(set(0, 0)), IllegalSubtype, CountIllegal},
		{"subtype 11", lacpdu(set(0, 11)), IllegalSubtype, CountIllegal},
		{"subtype 255", lacpdu(set(0, 255)), IllegalSubtype, CountIllegal},
		{"OAM", lacpdu(set(0, 3)), NotOurs, CountNothing},
		{"OSSP", lacpdu(set(0, 10)), NotOurs, CountNothing},
		{"no payload", header(nil, Group(), src), ShortSlow, CountIllegal},
		{"other EtherType", wire.Ethernet{Dst: Group(), Type: wire.TypeLLDP}.AppendTo(nil), NotSlow, CountUnknown},
		{"other destination", append(header(nil, NearestCustomer(), src), goodPDU()...), OtherGroup, CountUnknown},
		{"VLAN 0", tagged(0), "", CountNothing},
		{"VLAN 5", tagged(5), Tagged, CountTagged},
		{"109 bytes", lacpdu(none)[:FrameLen-1], ShortLACPDU, CountIllegal},
		{"longer", append(lacpdu(none), 1, 2, 3), "", CountNothing},
		{"version 0", lacpdu(set(1, 0)), "", CountNothing},
		{"version 2", lacpdu(set(1, 2)), "", CountNothing},
		{"version 0xF1", lacpdu(set(1, 0xf1)), "", CountNothing},
		{"version 255", lacpdu(set(1, 255)), "", CountNothing},
		{"actor type 9", lacpdu(set(2, 9)), "", CountNothing},
		{"actor length", lacpdu(set(3, 19)), BadActor, CountIllegal},
		{"partner length", lacpdu(set(23, 0)), BadPartner, CountIllegal},
		{"collector length", lacpdu(set(43, 20)), BadCollector, CountIllegal},
		{"terminator length", lacpdu(set(59, 4)), "", CountNothing},
		{"reserved", lacpdu(set(109, 4)), "", CountNothing},
		{"actor zero", lacpdu(func(b []byte) { clear(b[6:12]) }), BadActorAddress, CountIllegal},
		{"actor group", lacpdu(set(6, 3)), BadActorAddress, CountIllegal},
		{"key 0", lacpdu(func(b []byte) { clear(b[12:14]) }), "", CountNothing},
		{"port 0", lacpdu(func(b []byte) { clear(b[16:18]) }), "", CountNothing},
		{"distributing alone", lacpdu(set(18, 0x20)), "", CountNothing},
		{"marker", marker(none), "", CountNothing},
		{"marker length", marker(set(3, 15)), BadMarkerLength, CountIllegal},
		{"marker short", marker(none)[:FrameLen-1], ShortMarker, CountIllegal},
		{"marker type 3", marker(set(2, 3)), MarkerUnknown, CountUnknown},
	} {
		err := read(c.frame)
		d, _ := errors.AsType[wire.Drop](err)
		if d != c.want {
			t.Errorf("%s: %q, want %q", c.name, d, c.want)
		}
		if err != nil && CounterOf(d) != c.counter {
			t.Errorf("%s is counted under %d, want %d", c.name, CounterOf(d), c.counter)
		}
	}
	if _, err := Parse(append(header(nil, NearestNonTPMR(), src), goodPDU()...), NearestNonTPMR()); err != nil {
		t.Errorf("a destination that is configured: %v", err)
	}
	if CounterOf(BadTLV) != CountBadTLV {
		t.Error("a bad TLV has its own counter")
	}
}

func read(frame []byte) error {
	f, err := Parse(frame, Addr{})
	if err != nil {
		return err
	}
	if f.Subtype == SubtypeMarker {
		_, err = ParseMarker(f.Payload)
	} else {
		_, err = ParseLACPDU(f.Payload)
	}
	return err
}

func TestTLVs(t *testing.T) {
	pdu := goodPDU()
	tail := func(b ...byte) []byte {
		out := bytes.Clone(pdu)
		clear(out[tailAt:])
		copy(out[tailAt:], b)
		return out
	}
	for _, c := range []struct {
		name string
		pdu  []byte
		want []uint8
		bad  bool
	}{
		{"none", pdu, nil, false},
		{"port algorithm", tail(4, 6, 0, 0x80, 0xc2, 1), []uint8{4}, false},
		{"private", tail(0x80, 4, 0, 3, 0x81, 4, 0, 3), []uint8{0x80, 0x81}, false},
		{"zero length", tail(0x80, 0), nil, true},
		{"one byte", tail(0x80, 1, 1, 1), nil, true},
		{"good, then past the end", tail(4, 6, 0, 0x80, 0xc2, 1, 5, 200), []uint8{4}, true},
		{"short", pdu[:20], nil, true},
	} {
		var got []uint8
		err := TLVs(c.pdu, func(v TLV) { got = append(got, v.Type) })
		if !bytes.Equal(got, c.want) || (err != nil) != c.bad {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
	if n, plain := TerminatorLength(tail(0, 4)); n != 4 || !plain {
		t.Errorf("terminator length %d, %v", n, plain)
	}
	if _, plain := TerminatorLength(tail(4, 6)); plain {
		t.Error("version 2 is no plain PDU")
	}
}

func TestNumbersCompareAsNumbers(t *testing.T) {
	a, b := Info{SystemPriority: 0x0100, PortPriority: 0x0100}, Info{SystemPriority: 2, PortPriority: 2, System: Addr{5: 1}}
	if a.SystemID() < b.SystemID() || a.PortID() < b.PortID() {
		t.Error("256 is better than 2")
	}
}

func TestStateInWords(t *testing.T) {
	if got := State(0x3d).String(); got != "active,aggregatable,in-sync,collecting,distributing" {
		t.Error(got)
	}
	if got := State(0).String(); got != "none" {
		t.Error(got)
	}
	if got := State(0xc7).Letters(); got != "EF...GSA" {
		t.Error(got)
	}
	if s := State(0).With(Collecting, true); !s.Has(Collecting) || s.With(Collecting, false) != 0 {
		t.Error(s)
	}
}

func TestMarkerComesBack(t *testing.T) {
	m := Marker{Version: 1, Type: MarkerResponse, Port: 7, System: Addr{2, 0, 0, 0, 0, 1}, Transaction: 0xdeadbeef, Pad: 5}
	f, err := Parse(m.AppendFrame(nil, Group(), m.System), Addr{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseMarker(f.Payload); err != nil || got != m {
		t.Errorf("%+v, %v", got, err)
	}
}

func FuzzSlow(f *testing.F) {
	for _, file := range captures(f) {
		f.Add(frames(f, file)[0])
	}
	f.Add((&Marker{Version: 1, Type: MarkerInformation}).AppendFrame(nil, Group(), Addr{2}))
	f.Fuzz(func(t *testing.T, frame []byte) {
		env, err := Parse(frame, Addr{})
		if err != nil {
			if _, ok := errors.AsType[wire.Drop](err); !ok {
				t.Errorf("%v is not a Drop", err)
			}
			return
		}
		_ = TLVs(env.Payload, func(TLV) {})
		if p, err := ParseLACPDU(env.Payload); err == nil {
			if again, err := ParseLACPDU(p.AppendTo(nil)); err != nil || again != p {
				t.Errorf("%+v came back as %+v, %v", p, again, err)
			}
		}
		if m, err := ParseMarker(env.Payload); err == nil {
			if again, err := ParseMarker(m.AppendTo(nil)); err != nil || again != m {
				t.Errorf("%+v came back as %+v, %v", m, again, err)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	frame := append(header(nil, Group(), Addr{2}), goodPDU()...)
	b.ReportAllocs()
	for b.Loop() {
		if err := read(frame); err != nil {
			b.Fatal(err)
		}
	}
}
