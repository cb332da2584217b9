package policy

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// TestAHundredThousandFlows: of 8 ports one goes and comes back. Exactly its flows move,
// and exactly they move back.
func TestAHundredThousandFlows(t *testing.T) {
	const flows, ports, dead = 100_000, 8, 5
	random := rand.New(rand.NewPCG(1, 2))
	hashes := make([]uint32, flows)
	for i := range hashes {
		hashes[i] = Hash(agg.HashLayer34, flowFrame(random), Tag{})
	}
	all := portsNamed(ports)
	before := Table(all, nil)
	all[dead].Usable = false
	without := Table(all, nil)
	all[dead].Usable = true
	after := Table(all, nil)

	var of [ports]int
	moved := 0
	for _, h := range hashes {
		b := agg.BucketOf(h)
		of[before[b].First]++
		switch {
		case before[b].First == dead && without[b].First != before[b].Second:
			t.Fatalf("bucket %d went to %d and not to its second choice %d", b, without[b].First, before[b].Second)
		case before[b].First == dead:
			moved++
		case without[b].First != before[b].First:
			t.Fatalf("a flow of port %d moved to %d when port %d died", before[b].First, without[b].First, dead)
		}
		if after[b] != before[b] {
			t.Fatalf("bucket %d was %+v and is %+v", b, before[b], after[b])
		}
	}
	if moved != of[dead] {
		t.Errorf("%d flows moved, and the port had %d", moved, of[dead])
	}
	for i, n := range of {
		if n < flows/ports*8/10 || n > flows/ports*12/10 {
			t.Errorf("port %d has %d of %d flows", i, n, flows)
		}
	}
	t.Logf("flows of each port %v; %d moved and came back", of, moved)
}

// flowFrame is a UDP frame of a flow by chance.
func flowFrame(random *rand.Rand) []byte {
	b := make([]byte, 60)
	copy(b, "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00\x45\x00\x00\x2e\x00\x00\x00\x00\x40\x11\x00\x00")
	binary.BigEndian.PutUint32(b[26:], 0x0a000000|random.Uint32N(1<<24))
	binary.BigEndian.PutUint32(b[30:], 0x0a000000|random.Uint32N(1<<24))
	binary.BigEndian.PutUint16(b[34:], uint16(1024+random.Uint32N(64000)))
	binary.BigEndian.PutUint16(b[36:], uint16(random.Uint32N(65536)))
	return b
}
