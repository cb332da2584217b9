package ebpf

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/cilium/ebpf"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/policy"
)

// bench is the maps and one program, with no interface.
type bench struct {
	testing.TB
	tables  yokeMaps
	loader  *loader
	publish *publisher
}

func newBench(t testing.TB) *bench {
	t.Helper()
	nstest.Require(t, "root", "bpf")
	b := &bench{TB: t}
	if err := loadYokeObjects(&b.tables, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.tables.Close() })
	b.loader = newLoader(NewPrograms(), &b.tables, 7, false)
	b.loader.probeGuard()
	var err error
	if b.publish, err = openPublisher(&b.tables, false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.publish.grace.close)
	return b
}

func (b *bench) program(name string) *ebpf.Program {
	b.Helper()
	p, err := b.loader.load(name, anyPlace)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { p.Close() })
	return p
}

// spread publishes a table of n ports with the ifindexes 101 and up.
func (b *bench) spread(sel agg.Selector, hash agg.HashPolicy, n int, fast bool) agg.Plan {
	b.Helper()
	p := agg.Plan{Generation: 1, Select: sel, Hash: hash, Multicast: agg.NoPort, FastPath: fast}
	entries := map[agg.Selector]int{agg.SelectFixed: 1, agg.SelectBuckets: agg.NumBuckets, agg.SelectModulo: n}[sel]
	for i := range n {
		p.Ports = append(p.Ports, agg.PlanPort{Name: "p" + strconv.Itoa(i), Index: 101 + i, Transmit: true, Receive: true})
	}
	for i := range entries {
		p.Table = append(p.Table, agg.Choice{First: i % n, Second: (i + 1) % n})
	}
	if err := b.publish.publish(encode(p, 1, places{}.with(p), 7, 8, fast)); err != nil {
		b.Fatal(err)
	}
	return p
}

// skbContext is struct __sk_buff, of which only the beginning has names here.
type skbContext struct {
	Length, PacketType, Mark, Queue, Protocol, HasTag, TCI, TagProtocol, Priority, From, Index, TCIndex uint32
	CB                                                                                                  [5]uint32
	_                                                                                                   [47]uint32
}

// portOf runs entry on a frame and returns the index of the port it chose.
func (b *bench) portOf(entry *ebpf.Program, frame []byte) int {
	b.Helper()
	var out skbContext
	if _, err := entry.Run(&ebpf.RunOptions{Data: frame, Context: skbContext{}, ContextOut: &out}); err != nil {
		b.Fatalf("frame %x: %v", frame, err)
	}
	if out.CB[0] != b.loader.cookie {
		b.Fatalf("the frame has the mark %#x, not %#x", out.CB[0], b.loader.cookie)
	}
	return int(out.CB[2]) - 101
}

type vector struct {
	ID    int
	Kind  string
	Via   string
	Frame string
	Port  map[string]map[string]int
}

func TestModuloChoosesTheBondingDriversPort(t *testing.T) {
	b := newBench(t)
	entry := b.program(yokeProgYokeEntry)
	vectors := readVectors(t)
	for _, hash := range []agg.HashPolicy{agg.HashLayer2, agg.HashLayer34} {
		for _, n := range []int{2, 3, 5, 8} {
			b.spread(agg.SelectModulo, hash, n, false)
			for _, v := range vectors {
				frame, err := hex.DecodeString(v.Frame)
				if err != nil {
					t.Fatal(err)
				}
				want := v.Port[hash.String()][strconv.Itoa(n)]
				if got := b.portOf(entry, frame); got != want {
					t.Errorf("vector %d (%s), %s, %d ports: port %d, bonding chose %d", v.ID, v.Kind, hash, n, got, want)
				}
			}
		}
	}
}

// readVectors reads what the kernel's driver really chose for frames sent on a bond.
func readVectors(t *testing.T) []vector {
	t.Helper()
	f, err := os.Open("../../policy/testdata/vectors.jsonl")
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
		if v.Via == "bond" {
			out = append(out, v)
		}
	}
	if len(out) < 50 {
		t.Fatalf("only %d vectors", len(out))
	}
	return out
}

func TestHashEqualsTheReference(t *testing.T) {
	b := newBench(t)
	entry := b.program(yokeProgYokeEntry)
	random := rand.New(rand.NewPCG(1, 2))
	for _, sel := range []agg.Selector{agg.SelectBuckets, agg.SelectModulo} {
		for _, hash := range []agg.HashPolicy{agg.HashLayer2, agg.HashLayer34} {
			plan := b.spread(sel, hash, 61, false)
			for range 2500 {
				frame := randomFrame(random)
				if !runnable(frame) {
					continue
				}
				want := plan.Table[plan.Entry(policy.Hash(hash, frame, policy.Tag{}))].First
				if got := b.portOf(entry, frame); got != want {
					t.Fatalf("%s %s: port %d, reference %d, frame %x", sel, hash, got, want, frame)
				}
			}
		}
	}
}

// runnable: newer kernels refuse to run a program on an IP frame without a whole header.
func runnable(frame []byte) bool {
	switch binary.BigEndian.Uint16(frame[12:]) {
	case 0x0800:
		return len(frame) >= 14+20
	case 0x86dd:
		return len(frame) >= 14+40
	default:
		return true
	}
}

// randomFrame is random bytes, bent so that every branch of the hash is met: types,
// protocols, fragments, header lengths, ICMP errors, and ends in the middle of headers.
func randomFrame(r *rand.Rand) []byte {
	frame := make([]byte, 15+r.IntN(110)) // the kernel runs nothing on a bare header
	for i := range frame {
		frame[i] = byte(r.Uint32())
	}
	put := func(at int, b ...byte) {
		if at < len(frame) {
			copy(frame[at:], b)
		}
	}
	protocols := []byte{1, 1, 6, 17, 33, 50, 51, 58, 58, 132, 136, 44, 47, byte(r.Uint32())}
	protocol := protocols[r.IntN(len(protocols))]
	inner := protocols[r.IntN(len(protocols))]
	kinds := []byte{0, 1, 2, 3, 4, 5, 8, 11, 12, 13, 14, 128, 129, byte(r.Uint32())}
	kind := kinds[r.IntN(len(kinds))]
	if r.IntN(4) == 0 { // an echo without identifier
		defer func() { put(14+20+4, 0, 0) }()
	}
	switch r.IntN(8) {
	case 0, 1, 2, 3:
		put(12, 8, 0, 0x45+byte(r.IntN(3)))
		put(14+6, byte(r.IntN(4))*0x20*byte(r.IntN(2)), 0)
		put(14+9, protocol)
		put(14+20, kind)
		put(14+28, 0x45)
		put(14+28+6, byte(r.IntN(2))*0x20, 0)
		put(14+28+9, inner)
	case 4, 5, 6:
		put(12, 0x86, 0xdd, 0x60)
		put(14+6, protocol)
		put(14+40, kind)
		put(14+48+6, inner)
	}
	return frame
}
