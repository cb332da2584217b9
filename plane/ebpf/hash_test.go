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
	loaded  map[string]*ebpf.Program
}

func newBench(t testing.TB) *bench {
	t.Helper()
	nstest.Require(t, "root", "bpf")
	b := &bench{TB: t, loaded: map[string]*ebpf.Program{}}
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

// program is the one of that name, loaded once: what it does is in the tables.
func (b *bench) program(name string) *ebpf.Program {
	b.Helper()
	if p, ok := b.loaded[name]; ok {
		return p
	}
	p, err := b.loader.load(name, anyPlace)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { p.Close() })
	b.loaded[name] = p
	return p
}

// entry is the program that an aggregate with the plan has.
func (b *bench) entry(p agg.Plan) *ebpf.Program {
	b.Helper()
	return b.program(reachOf(p).entry())
}

// spread publishes a table of n ports with the ifindexes 101 and up.
func (b *bench) spread(sel agg.Selector, hash agg.HashPolicy, n int, fast bool) agg.Plan {
	b.Helper()
	p := agg.Plan{Generation: 1, Select: sel, Hash: hash, Multicast: agg.NoPort, FastPath: fast}
	entries := n
	switch sel {
	case agg.SelectFixed:
		entries = 1
	case agg.SelectBuckets:
		entries = agg.NumBuckets
	default: // an entry a port
	}
	for i := range n {
		p.Ports = append(p.Ports, agg.PlanPort{Name: "p" + strconv.Itoa(i), Index: 101 + i, Transmit: true, Receive: true})
	}
	for i := range entries {
		p.Table = append(p.Table, agg.Choice{First: i % n, Second: (i + 1) % n})
	}
	if err := b.publish.publish(encode(p, 1, places{}.with(p)).route(7, 8, false)); err != nil {
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
	vectors := readVectors(t)
	for _, hash := range Capability().Hashes {
		if hash == agg.HashFields {
			continue // bonding has none
		}
		for _, n := range []int{2, 3, 5, 8} {
			entry := b.entry(b.spread(agg.SelectModulo, hash, n, false))
			for _, v := range vectors {
				if unlike(hash, v.Kind) {
					continue
				}
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

// unlike: a packet socket notes the IP header as the one behind a tag, and the kernel's
// dissector, which expects the tag there, gives up. Frames of a bridge or of the stack it
// does dissect, and so do the programs.
func unlike(hash agg.HashPolicy, kind string) bool {
	tagged := kind == "vlan_tcp4" || kind == "vlan_udp6" || kind == "qinq_tcp4"
	return tagged && (hash == agg.HashEncap23 || hash == agg.HashEncap34)
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

// everyHash is each policy, and lists of fields with each field in and out.
func everyHash() []agg.HashPolicy {
	const l4 = agg.FieldTCP | agg.FieldUDP | agg.FieldSCTP
	var out []agg.HashPolicy
	for _, h := range Capability().Hashes {
		if h != agg.HashFields {
			out = append(out, h)
		}
	}
	for _, fields := range []agg.HashPolicy{
		0, agg.FieldEth, agg.FieldVLAN, agg.FieldIPv4, agg.FieldIPv6 | agg.FieldTCP,
		agg.FieldEth | agg.FieldIPv4 | agg.FieldIPv6, l4, agg.FieldUDP, agg.FieldSCTP | agg.FieldVLAN,
		agg.FieldIPv4 | agg.FieldIPv6 | l4, agg.HashFields - 1,
	} {
		out = append(out, agg.HashFields|fields)
	}
	return out
}

// Every hash of thousands of frames, half of them by buckets and half by modulo.
func TestHashEqualsTheReference(t *testing.T) {
	b := newBench(t)
	random := rand.New(rand.NewPCG(1, 2))
	compared := 0
	for _, sel := range []agg.Selector{agg.SelectBuckets, agg.SelectModulo} {
		for _, hash := range everyHash() {
			plan := b.spread(sel, hash, 61, false)
			entry := b.entry(plan)
			for range framesEach() {
				frame := randomFrame(random)
				if !runnable(frame) {
					continue
				}
				want := plan.Table[plan.Entry(policy.Hash(hash, frame, policy.Tag{}))].First
				if got := b.portOf(entry, frame); got != want {
					t.Fatalf("%s %s: port %d, reference %d, frame %x", sel, hash, got, want, frame)
				}
				compared++
			}
		}
	}
	t.Logf("%d choices compared", compared)
}

// framesEach is how many frames are compared for each hash and selector: 34 of those make
// more than 100,000. In an emulated machine it is a tenth: the programs are the same bytes
// there, and whether another kernel runs them alike needs each branch and not each frame.
func framesEach() int {
	if nstest.Emulated() {
		return 360
	}
	return 3600
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

// randomFrame is random bytes, bent so that every branch of the hashes is met: tags,
// tunnels, types, protocols, fragments, header lengths, ICMP errors, and ends in the
// middle of headers.
func randomFrame(r *rand.Rand) []byte {
	frame := make([]byte, 15+r.IntN(180)) // the kernel runs nothing on a bare header
	for i := range frame {
		frame[i] = byte(r.Uint32())
	}
	bend{r, frame}.typed(12)
	return frame
}

// bend writes headers into random bytes.
type bend struct {
	r     *rand.Rand
	frame []byte
}

func (x bend) put(at int, b ...byte) {
	if at < len(x.frame) {
		copy(x.frame[at:], b)
	}
}

// typed writes an Ethernet type, and what is behind it.
func (x bend) typed(at int) {
	switch x.r.IntN(16) {
	case 0, 1, 2, 3, 4, 5:
		x.put(at, 8, 0)
		x.ip4(at + 2)
	case 6, 7, 8, 9:
		x.put(at, 0x86, 0xdd)
		x.ip6(at + 2)
	case 10:
		x.put(at, 0x81, 0)
		x.typed(at + 4)
	case 11:
		x.put(at, 0x88, 0xa8)
		x.typed(at + 4)
	case 12: // HSR
		x.put(at, 0x89, 0x2f)
		x.typed(at + 6)
	case 13: // PPPoE
		x.put(at, 0x88, 0x64, 0x11, 0, 0, 1, 0, 60)
		x.ppp(at + 8)
	case 14:
		types := [][]byte{{8, 6}, {0x80, 0x35}, {0x88, 0x47}, {0x88, 0x48}, {0x88, 0xcc}, {0x88, 9}}
		x.put(at, types[x.r.IntN(len(types))]...)
	}
}

func (x bend) ppp(at int) {
	switch x.r.IntN(5) {
	case 0:
		x.put(at, 0, 0x21)
		x.ip4(at + 2)
	case 1:
		x.put(at, 0, 0x57)
		x.ip6(at + 2)
	case 2:
		x.put(at, 0x21)
		x.ip4(at + 1)
	case 3:
		x.put(at, 2, 0x81)
	}
}

// pick is one of the protocols that some hash knows.
func (x bend) pick() byte {
	known := []byte{1, 1, 6, 6, 17, 17, 33, 50, 51, 58, 58, 132, 136, 0, 4, 41, 43, 44, 47, 60, 137, byte(x.r.Uint32())}
	return known[x.r.IntN(len(known))]
}

func (x bend) ip4(at int) {
	protocol, options := x.pick(), x.r.IntN(3)
	x.put(at, 0x45+byte(options))
	x.put(at+6, byte(x.r.IntN(4))*0x20*byte(x.r.IntN(2)), 0)
	x.put(at+9, protocol)
	x.behind(at+20+4*options, protocol)
}

func (x bend) ip6(at int) {
	protocol := x.pick()
	x.put(at, 0x60)
	x.put(at+6, protocol)
	x.behind(at+40, protocol)
}

// behind writes what an IP header announces.
func (x bend) behind(at int, protocol byte) {
	if at >= len(x.frame) {
		return
	}
	switch protocol {
	case 1, 58:
		x.icmp(at)
	case 0, 43, 60:
		next := x.pick()
		x.put(at, next, byte(x.r.IntN(2)))
		if at+1 < len(x.frame) {
			x.behind(at+8+8*int(x.frame[at+1]), next)
		}
	case 4:
		x.ip4(at)
	case 41:
		x.ip6(at)
	case 47:
		x.gre(at)
	}
}

func (x bend) icmp(at int) {
	kinds := []byte{0, 1, 2, 3, 4, 5, 8, 11, 12, 13, 14, 128, 129, byte(x.r.Uint32())}
	x.put(at, kinds[x.r.IntN(len(kinds))])
	if x.r.IntN(4) == 0 { // an echo without identifier
		x.put(at+4, 0, 0)
	}
	inner := x.pick()
	x.put(at+8, 0x45)
	x.put(at+8+6, byte(x.r.IntN(2))*0x20, 0)
	x.put(at+8+9, inner)
}

func (x bend) gre(at int) {
	flags := []byte{0, 0x20, 0x80, 0x10, 0xb0, 0x40, 0x30}[x.r.IntN(7)]
	x.put(at, flags, byte(x.r.IntN(12)/10))
	behind := at + 2
	for bit := byte(0x80); bit != 0; bit >>= 1 {
		if flags&bit&0xb0 != 0 {
			behind += 4
		}
	}
	switch x.r.IntN(3) {
	case 0:
		x.put(at+2, 8, 0)
		x.ip4(behind + 2)
	case 1:
		x.put(at+2, 0x86, 0xdd)
		x.ip6(behind + 2)
	default:
		x.put(at+2, 0x65, 0x58)
		x.typed(behind + 2 + 12)
	}
}
