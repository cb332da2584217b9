package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	log.SetFlags(0)
	frames := flag.Int("frames", 200_000, "frames a run")
	runs := flag.Int("runs", 5, "runs of each candidate, in turn")
	virtual := flag.Duration("virtual", 0, "print instructions, of this much virtual time each")
	flag.Parse()
	runtime.LockOSThread() // the thread belongs to the namespaces it makes, and to one processor
	if err := pin(); err != nil {
		log.Fatalf("devices: hold the thread on one processor: %v", err)
	}
	if err := measure(*frames, *runs, *virtual); err != nil {
		log.Fatalf("devices: %v", err)
	}
}

func pin() error {
	var set unix.CPUSet
	set.Set(0)
	return unix.SchedSetaffinity(0, &set)
}

func measure(frames, runs int, virtual time.Duration) error {
	rows := make([][]result, len(candidates()))
	for run := range runs {
		for i, c := range candidates() {
			fmt.Fprintf(os.Stderr, "run %d of %d: %s\n", run+1, runs, c.name)
			r, err := newRig(c)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			m, err := r.run(frames)
			r.close()
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			rows[i] = append(rows[i], m)
		}
	}
	return show(rows, virtual)
}

func show(rows [][]result, virtual time.Duration) error {
	unit, scale := "ns", 1.0
	if virtual > 0 {
		unit, scale = "instructions", float64(virtual.Nanoseconds())
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "added %s a frame\ttransmit\treceive\treceive broadcast\tflood of broadcast lost\n", unit)
	bare := summary(rows[0])
	for i, c := range candidates() {
		m := summary(rows[i])
		if i == 0 {
			fmt.Fprintf(w, "%s\t%.0f\t%.0f\t%.0f\t%.1f %%\n", c.name, m.out/scale, m.in/scale, m.broadcast/scale, m.lost)
			continue
		}
		fmt.Fprintf(w, "%s\t%+.0f\t%+.0f\t%+.0f\t%.1f %%\n", c.name, (m.out-bare.out)/scale, (m.in-bare.in)/scale,
			(m.broadcast-bare.broadcast)/scale, m.lost)
	}
	return w.Flush()
}

// summary takes the median of each cost and the largest loss.
func summary(runs []result) (m result) {
	var out, in, broadcast []float64
	for _, r := range runs {
		out, in, broadcast = append(out, r.out), append(in, r.in), append(broadcast, r.broadcast)
		m.lost = max(m.lost, r.lost)
	}
	m.out, m.in, m.broadcast = median(out), median(in), median(broadcast)
	return m
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
