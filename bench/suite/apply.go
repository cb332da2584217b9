package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// dryMany is how many aggregates of a dry run are in the file.
const dryMany = 1000

// measureApply changes one aggregate of a thousand, in a daemon whose interfaces are in
// memory; measureMany does the same with real ones.
func measureApply(ctx context.Context, s settings, rep *report) error {
	h, err := newHost()
	if err != nil {
		return err
	}
	defer h.close()
	var links []string
	for i := range dryMany {
		links = append(links, fmt.Sprintf("p%da", i), fmt.Sprintf("p%db", i))
	}
	d, err := startDaemon(ctx, h, s, "--dry", strings.Join(links, ","))
	if err != nil {
		return err
	}
	defer d.stop(ctx)
	return applyOne(ctx, d, dryMany, "interfaces in memory", rep)
}

// applyOne applies a file of n aggregates, changes one in it and applies it again.
func applyOne(ctx context.Context, d *daemon, n int, where string, rep *report) error {
	all, err := applyFile(ctx, d, n, 100)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%d aggregates, %s", n, where)
	rep.add(row{"yoke apply: whole file", name, all, "s", "", ""})
	var times []float64
	for _, miimon := range []int{50, 60, 70} {
		one, err := applyFile(ctx, d, n, miimon)
		if err != nil {
			return err
		}
		times = append(times, one)
	}
	rep.add(row{"yoke apply: one has changed", name, median(times), "s", "<= 1", "median of 3"})
	return nil
}

// applyFile applies a file of n aggregates, of which the middle one is polled every miimon
// milliseconds, and returns how long that took, in seconds.
func applyFile(ctx context.Context, d *daemon, n, miimon int) (float64, error) {
	var text strings.Builder
	text.WriteString("aggregates:\n")
	for i := range n {
		m := 100
		if i == n/2 {
			m = miimon
		}
		fmt.Fprintf(&text, "  bond%d: {miimon: %d, ports: [p%da, p%db]}\n", i, m, i, i)
	}
	path := filepath.Join(d.dir, "all.yaml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		return 0, err
	}
	begin := time.Now()
	err := d.yoke(ctx, "apply", path)
	return time.Since(begin).Seconds(), err
}
