package keepalive

import (
	"testing"

	"github.com/cilium/ebpf"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/internal/nstest"
)

// BenchmarkProgram is each program's own cost of a data frame, by BPF_PROG_TEST_RUN: on a
// port that is agreed, with the daemon there.
func BenchmarkProgram(b *testing.B) {
	nstest.Require(b, "root", "bpf")
	k, err := Open(Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer k.Close()
	const loopback = 1 // where frames of test runs come from
	if err := k.write(loopback, State{Speak: true, Actor: ours, Partner: theirs}, 0); err != nil {
		b.Fatal(err)
	}
	if err := k.Beat(agg.Instant(bootclock.Now())); err != nil {
		b.Fatal(err)
	}
	for _, p := range []*ebpf.Program{k.objects.YokeHold, k.objects.YokeAnswer} {
		info, err := p.Info()
		if err != nil {
			b.Fatal(err)
		}
		b.Run(info.Name, func(b *testing.B) {
			frame := make([]byte, 60)
			frame[12] = 8
			_, took, err := p.Benchmark(frame, b.N, nil)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(took.Nanoseconds()), "ns/frame")
		})
	}
}
