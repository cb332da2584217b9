package policy

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// vector is one frame and the ports that the bonding driver of Linux 6.1 on x86-64
// chose for it, by policy and number of ports.
type vector struct {
	ID    int                       `json:"id"`
	Kind  string                    `json:"kind"`
	Via   string                    `json:"via"`
	Frame string                    `json:"frame"`
	Port  map[string]map[string]int `json:"port"`
}

func readVectors(tb testing.TB) []vector {
	tb.Helper()
	f, err := os.Open("testdata/vectors.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var out []vector
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			tb.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// carriesOuterTag are the kinds that the VLAN device's tag does not stay beside.
func carriesOuterTag(kind string) bool {
	switch kind {
	case "vlan_tcp4", "vlan_udp6", "qinq_tcp4", "mpls":
		return true
	}
	return false
}

// misreadByKernel: a packet socket notes the IP header as the one behind a tag in the
// frame, while the flow dissector expects the tag itself there and gives up. A frame that
// a bridge or the stack hands over with such a tag is dissected, and so it is here.
func misreadByKernel(p agg.HashPolicy, v vector) bool {
	return (p == agg.HashEncap23 || p == agg.HashEncap34) && carriesOuterTag(v.Kind) && v.Kind != "mpls"
}

func allPolicies() []agg.HashPolicy {
	return []agg.HashPolicy{
		agg.HashLayer2, agg.HashLayer34, agg.HashLayer23, agg.HashEncap23, agg.HashEncap34, agg.HashVLANSrcMAC,
	}
}

func TestHashChoosesThePortsOfTheKernel(t *testing.T) {
	checked := 0
	for _, v := range readVectors(t) {
		frame, err := hex.DecodeString(v.Frame)
		if err != nil {
			t.Fatal(err)
		}
		tag := Tag{}
		if v.Via == "vlan100" {
			if carriesOuterTag(v.Kind) {
				continue
			}
			tag = Tag{Present: true, TCI: 100}
		}
		for _, p := range allPolicies() {
			if misreadByKernel(p, v) {
				continue
			}
			for n, want := range v.Port[p.String()] {
				count, _ := strconv.Atoi(n)
				got := int(HashIn(LittleEndian, p, frame, tag) % uint32(count))
				if got != want {
					t.Errorf("frame %d (%s via %s), %s, %s ports: port %d, the kernel took %d", v.ID, v.Kind, v.Via, p, n, got, want)
				}
				checked++
			}
		}
	}
	if checked < 1000 {
		t.Errorf("only %d choices were compared", checked)
	}
}

// The worked examples that were computed by hand for both byte orders.
func TestHashWorkedExamples(t *testing.T) {
	const macs = ",smac=52:54:00:11:22:33,dmac=52:54:00:aa:bb:c1"
	const v4 = "src=192.0.2.10,dst=198.51.100.7" + macs
	for _, c := range []struct {
		name, flow  string
		policy      agg.HashPolicy
		tag         Tag
		little, big uint32
	}{
		{"IPv4 by layer2", v4, agg.HashLayer2, Tag{}, 2290, 2290},
		{"ARP by layer2", "type=0x0806,smac=52:54:00:11:22:33,dmac=ff:ff:ff:ff:ff:ff", agg.HashLayer2, Tag{}, 2250, 2250},
		{"IPv4 by layer2+3", v4, agg.HashLayer23, Tag{}, 0x0d6b50a4, 0x06355ba4},
		{"TCP", v4 + ",proto=tcp,sport=40000,dport=443", agg.HashLayer34, Tag{}, 0x5b68d11c, 0x4d74c71c},
		{"TCP, next source port", v4 + ",proto=tcp,sport=40001,dport=443", agg.HashLayer34, Tag{}, 0x5b68d19c, 0},
		{"TCP, reverse", "src=198.51.100.7,dst=192.0.2.10,sport=443,dport=40000", agg.HashLayer34, Tag{}, 0x26db9f9c, 0},
		{"no ports", v4 + ",proto=47", agg.HashLayer34, Tag{}, 0x06b5ac2f, 0x031aa9af},
		{"UDP over IPv6", "src=2001:db8::10,dst=2001:db8:0:1::53,proto=udp,sport=53124,dport=53", agg.HashLayer34, Tag{}, 0x3bbbf99e, 0x67a5a59e},
		{"ICMP echo", v4 + ",proto=icmp,id=0x1234", agg.HashLayer34, Tag{}, 0x0fa6bf38, 0x071ea4b8},
		{"VLAN 100", v4, agg.HashVLANSrcMAC, Tag{true, 100}, 4421207, 4421207},
		{"VLAN 100, priority 3", v4, agg.HashVLANSrcMAC, Tag{true, 0x6064}, 4396631, 4396631},
	} {
		frame := flow(t, c.flow).AppendTo(nil, nil)
		if got := HashIn(LittleEndian, c.policy, frame, c.tag); got != c.little {
			t.Errorf("%s: little-endian 0x%08x, want 0x%08x", c.name, got, c.little)
		}
		if got := HashIn(BigEndian, c.policy, frame, c.tag); c.big != 0 && got != c.big {
			t.Errorf("%s: big-endian 0x%08x, want 0x%08x", c.name, got, c.big)
		}
	}
}

// A fragment has addresses and no ports, the first one included.
func TestHashOfAFragment(t *testing.T) {
	frame := flow(t, "src=192.0.2.10,dst=198.51.100.7,sport=40000,dport=443").AppendTo(nil, nil)
	for _, bits := range [][2]byte{{0x20, 0}, {0x20, 5}, {0, 5}} {
		frame[20], frame[21] = bits[0], bits[1]
		if got := HashIn(LittleEndian, agg.HashLayer34, frame, Tag{}); got != 0x06b5ac2f {
			t.Errorf("fragment bits %x: 0x%08x", bits, got)
		}
	}
}

func TestHashDoesNotAllocate(t *testing.T) {
	frame := flow(t, "src=2001:db8::1,dst=2001:db8::2,proto=icmp,id=7").AppendTo(nil, nil)
	if n := testing.AllocsPerRun(100, func() { Hash(agg.HashLayer34, frame, Tag{}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzHash: no frame makes a hash panic, and every policy has an answer.
func FuzzHash(f *testing.F) {
	for _, v := range readVectors(f) {
		frame, _ := hex.DecodeString(v.Frame)
		f.Add(frame, uint16(0))
	}
	f.Fuzz(func(_ *testing.T, frame []byte, tci uint16) {
		for p := agg.HashLayer2; p <= agg.HashVLANSrcMAC; p++ {
			HashIn(LittleEndian, p, frame, Tag{Present: true, TCI: tci})
			HashIn(BigEndian, p, frame, Tag{})
		}
	})
}
