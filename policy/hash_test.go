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

func readVectors(t testing.TB) []vector {
	t.Helper()
	f, err := os.Open("testdata/vectors.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []vector
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
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
		for _, p := range []agg.HashPolicy{agg.HashLayer2, agg.HashLayer34, agg.HashLayer23, agg.HashVLANSrcMAC} {
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
