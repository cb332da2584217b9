package policy

import (
	"encoding/binary"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// What teamd's compiled program returned, folded as the team driver folds it. The frames
// go from 02:00:00:00:00:01 to :02, 192.0.2.1 or fe80::1 to the next, TCP 12345 to 80.
func TestFieldsHashWorkedExamples(t *testing.T) {
	const macs = ",smac=02:00:00:00:00:01,dmac=02:00:00:00:00:02,proto=tcp,sport=12345,dport=80"
	v4 := flow(t, "src=192.168.0.1,dst=192.168.0.2"+macs).AppendTo(nil, nil)
	v6 := flow(t, "src=fe80::1,dst=fe80::2"+macs).AppendTo(nil, nil)
	q4 := flow(t, "src=192.168.0.1,dst=192.168.0.2,vlan=0x64"+macs).AppendTo(nil, nil)
	binary.BigEndian.PutUint16(q4[14:], 0x2064) // with a priority
	first, rest := append([]byte(nil), v4...), append([]byte(nil), v4...)
	first[20], rest[21] = 0x20, 1
	const (
		eth  = agg.HashFields | agg.FieldEth
		vlan = agg.HashFields | agg.FieldVLAN
		l3   = agg.HashFields | agg.FieldIPv4 | agg.FieldIPv6
		l4   = agg.HashFields | agg.FieldTCP | agg.FieldUDP | agg.FieldSCTP
	)
	for _, c := range []struct {
		name  string
		which agg.HashPolicy
		frame []byte
		tag   Tag
		want  uint32
	}{
		{"eth", eth, v4, Tag{}, 0x03},
		{"default, IPv4", eth | l3, v4, Tag{}, 0},
		{"default, IPv6", eth | l3, v6, Tag{}, 0},
		{"default, tag in the frame", eth | l3, q4, Tag{}, 0},
		{"l3 l4", l3 | l4, v4, Tag{}, 0x5a},
		{"l4", l4, v4, Tag{}, 0x59},
		{"l4, first fragment", l4, first, Tag{}, 0x59},
		{"l4, another fragment", l4, rest, Tag{}, 0},
		{"vlan, tag in the frame", vlan, q4, Tag{}, 0x64},
		{"vlan, tag beside the frame", vlan, v4, Tag{true, 0x2064}, 0x44},
		{"eth vlan", eth | vlan, q4, Tag{}, 0x67},
		{"eth vlan l3 l4", eth | vlan | l3 | l4, q4, Tag{}, 0x3d},
		{"nothing", agg.HashFields, v4, Tag{}, 0},
		// teamd has 0x53 and 0x50 here: it loses the source port.
		{"l3 l4, IPv6", l3 | l4, v6, Tag{}, 0x5a},
		{"l4, IPv6", l4, v6, Tag{}, 0x59},
		{"cut off in the addresses", l3, v4[:30], Tag{}, 0},
		{"cut off in the ports", eth | l4, v4[:36], Tag{}, 0},
	} {
		for _, order := range []Endian{LittleEndian, BigEndian} {
			if got := HashIn(order, c.which, c.frame, c.tag); got != c.want {
				t.Errorf("%s: %#02x, want %#02x", c.name, got, c.want)
			}
		}
	}
}

func TestEncapWorkedExamples(t *testing.T) {
	inner := flow(t, "src=10.1.0.1,dst=10.2.0.2,proto=tcp,sport=5000,dport=80").AppendTo(nil, nil)[14:]
	outer := flow(t, "src=192.0.2.10,dst=198.51.100.7,proto=4").AppendTo(nil, inner)
	gre := flow(t, "src=192.0.2.10,dst=198.51.100.7,proto=47").AppendTo(nil, append([]byte{0, 0, 8, 0}, inner...))
	keyed := flow(t, "src=192.0.2.10,dst=198.51.100.7,proto=47").AppendTo(nil, append([]byte{0x20, 0, 8, 0, 1, 2, 3, 4}, inner...))
	for name, frame := range map[string][]byte{"IP in IP": outer, "GRE": gre, "GRE with a key": keyed} {
		if got := HashIn(LittleEndian, agg.HashEncap34, frame, Tag{}); got != 0x29a9ec65 {
			t.Errorf("%s: 0x%08x", name, got)
		}
		if got := HashIn(BigEndian, agg.HashEncap34, frame, Tag{}); got != 0x09cc4c65 {
			t.Errorf("%s, big-endian: 0x%08x", name, got)
		}
	}
	arp := flow(t, "type=0x0806,smac=52:54:00:11:22:33,dmac=ff:ff:ff:ff:ff:ff").AppendTo(nil, make([]byte, 28))
	if got := Hash(agg.HashEncap34, arp, Tag{}); got != 0 {
		t.Errorf("ARP: 0x%08x", got)
	}
}
