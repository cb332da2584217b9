package ebpf

import (
	"encoding/hex"
	"testing"

	"github.com/cilium/ebpf"

	"github.com/yokelag/yoke/agg"
)

// udpFrame is 60 bytes of UDP over IPv4.
const udpFrame = "020000000001020000000002080045000020000040004011b6cb" +
	"c0000201c00002020fa00035000c00006161616161616161616161616161616161616161616161616161616161616161616161"

func frame(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// BenchmarkProgram is each program's own cost of a frame, by BPF_PROG_TEST_RUN.
func BenchmarkProgram(b *testing.B) {
	type setting struct {
		name string
		sel  agg.Selector
		hash agg.HashPolicy
	}
	settings := []setting{
		{"fixed", agg.SelectFixed, agg.HashLayer2},
		{"buckets-layer2", agg.SelectBuckets, agg.HashLayer2},
		{"buckets-layer34", agg.SelectBuckets, agg.HashLayer34},
		{"modulo-layer34", agg.SelectModulo, agg.HashLayer34},
		{"modulo-layer23", agg.SelectModulo, agg.HashLayer23},
		{"modulo-encap23", agg.SelectModulo, agg.HashEncap23},
		{"modulo-encap34", agg.SelectModulo, agg.HashEncap34},
		{"modulo-vlan-srcmac", agg.SelectModulo, agg.HashVLANSrcMAC},
		{"modulo-tx-hash", agg.SelectModulo, agg.HashFields | agg.FieldEth | agg.FieldIPv4 | agg.FieldIPv6 | agg.FieldTCP | agg.FieldUDP},
		{"round-robin", agg.SelectRoundRobin, agg.HashLayer2},
		{"random", agg.SelectRandom, agg.HashLayer2},
		{"broadcast", agg.SelectBroadcast, agg.HashLayer2},
	}
	for _, s := range settings {
		for _, fast := range []bool{false, true} {
			name := "exact"
			if fast {
				name = "fast"
			}
			b.Run("entry/"+s.name+"/"+name, func(b *testing.B) {
				x := newBench(b)
				x.measureEach(b, x.entry(x.spread(s.sel, s.hash, 2, fast)), 0)
			})
		}
	}
	for _, name := range []string{yokeProgYokeHopFixed, yokeProgYokeHopCommon, yokeProgYokeHopWhole, yokeProgYokeRx} {
		b.Run(name[len(ourPrefix):], func(b *testing.B) {
			x := newBench(b)
			x.spread(agg.SelectFixed, agg.HashLayer2, 2, false)
			x.measure(b, x.program(name))
		})
	}
	for _, name := range []string{yokeProgYokeGuard, yokeProgYokeGuardBlind} {
		b.Run(name[len(ourPrefix):], func(b *testing.B) {
			x := newBench(b)
			x.spread(agg.SelectFixed, agg.HashLayer2, 2, false)
			x.measureEach(b, x.program(name), x.loader.cookie)
		})
	}
}

// measure lets the kernel run the program b.N times. The first hop of a mark that entry
// left stays in the frame, so hop is measured as it runs in an aggregate.
func (x *bench) measure(b *testing.B, p *ebpf.Program) {
	b.Helper()
	_, each, err := p.Benchmark(frame(b, udpFrame), max(b.N, 1000), b.ResetTimer)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(each.Nanoseconds()), "ns/frame")
	b.ReportMetric(0, "ns/op")
}

// measureEach is for programs that look at the mark and change it, so that each run needs a
// new frame: with the mark for guard, without for entry. The kernel measures each run with
// a clock that costs as much as the program; statistics of the kernel are finer.
func (x *bench) measureEach(b *testing.B, p *ebpf.Program, cookie uint32) {
	b.Helper()
	stop, err := ebpf.EnableStats(0)
	if err != nil {
		b.Skip("missing kernel feature: BPF run time statistics: ", err)
	}
	defer stop.Close()
	var context skbContext
	context.CB[0] = cookie
	run := ebpf.RunOptions{Data: frame(b, udpFrame), Context: context}
	for b.Loop() {
		if _, err := p.Run(&run); err != nil {
			b.Fatal(err)
		}
	}
	stats, err := p.Stats()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(stats.Runtime.Nanoseconds())/float64(stats.RunCount), "ns/frame")
	b.ReportMetric(0, "ns/op")
}
