package vethtest_test

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/plane/planetest/vethtest"
)

// vector is one frame and the port that the kernel's bonding driver sent it by, for
// each policy and number of ports.
type vector struct {
	ID    int                       `json:"id"`
	Kind  string                    `json:"kind"`
	Via   string                    `json:"via"`
	Frame string                    `json:"frame"`
	Port  map[string]map[string]int `json:"port"`
}

// goldenVectors are those sent on the bond itself, and their frames.
func goldenVectors(t *testing.T) (out []vector, frames [][]byte) {
	t.Helper()
	f, err := os.Open("../../../policy/testdata/vectors.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var v vector
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		if v.Via != "bond" {
			continue
		}
		b, err := hex.DecodeString(v.Frame)
		if err != nil {
			t.Fatal(err)
		}
		out, frames = append(out, v), append(frames, b)
	}
	return out, frames
}

// TestPlanesChooseAsBonding sends what the kernel's bonding driver was sent, VLAN tags
// in the frame included. The encap policies are compared but for frames that they see
// otherwise when a packet socket sends them; see unlike.
func TestPlanesChooseAsBonding(t *testing.T) {
	all, frames := goldenVectors(t)
	forEachPlane(t, func(t *testing.T, open vethtest.Opener) {
		for _, n := range []int{2, 3, 5, 8} {
			h, plane, plan := newSpread(t, open, n)
			for _, hash := range plane.Capability().Hashes {
				if hash == agg.HashFields {
					continue // bonding has no such policy
				}
				plan.Generation++
				plan.Hash, plan.Select, plan.Table = hash, agg.SelectModulo, table(agg.SelectModulo, n)
				if err := plane.Apply(t.Context(), plan); err != nil {
					t.Fatal(err)
				}
				for i, got := range h.Send(t, frames) {
					v := all[i]
					if unlike(hash, v.Kind) {
						continue
					}
					if want := []string{portName(v.Port[hash.String()][fmt.Sprint(n)])}; !slices.Equal(got, want) {
						t.Errorf("%v, %d ports, vector %d (%s): %v, bonding chose %v", hash, n, v.ID, v.Kind, got, want)
					}
				}
			}
		}
	})
}

// unlike: the kernel's flow dissector gave up on these frames, because the packet socket
// that sent them notes what is behind the tag as the protocol, and the dissector then
// looks for no tag. Of a bridge or of the stack it opens the tag, and so do the planes.
func unlike(hash agg.HashPolicy, kind string) bool {
	tagged := kind == "vlan_tcp4" || kind == "vlan_udp6" || kind == "qinq_tcp4"
	return tagged && (hash == agg.HashEncap23 || hash == agg.HashEncap34)
}
