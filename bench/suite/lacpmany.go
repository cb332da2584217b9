package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// agreeWithin bounds the time in which all aggregates must carry.
const agreeWithin = 3 * time.Minute

// measureLACPMany runs a daemon whose aggregates all speak LACP at fast rate. The other
// ends are this process.
func measureLACPMany(ctx context.Context, s settings, rep *report) error {
	r, err := newFleetRig(ctx, s, s.lags)
	defer r.close(ctx)
	if err != nil {
		return err
	}
	w, err := r.watch(ctx, idle)
	if err != nil {
		return err
	}
	ports := 2 * s.lags
	name := fmt.Sprintf("%d ports of lacp_rate fast in one daemon", ports)
	rep.add(
		row{"many LACP ports: distributing", name, float64(w.open), "", fmt.Sprint(ports), fmt.Sprintf("all together after %.1f s", r.agreed.Seconds())},
		row{"many LACP ports: processor of yoked", name, w.share, "% of a core", "", ""},
		row{"many LACP ports: processor of the other ends", name, w.own, "% of a core", "", "one process that steps lacp and sends in batches"},
		row{"many LACP ports: resident memory of yoked", name, w.memory, "MiB", "", ""},
		row{"many LACP ports: LACPDUs of yoked", name, w.rate, "a second", fmt.Sprint(ports), ""},
		row{"many LACP ports: latest LACPDU", name, w.late, "ms", "<= 100", "the longest gap of a port beyond 1 s, by the kernel's stamps at the other end"},
	)
	return nil
}

// lacpCables makes two cables for each aggregate and returns the far ends' ifindexes.
func lacpCables(near, far *host, lags int) ([][]int, error) {
	if err := far.quietIPv6(); err != nil {
		return nil, err
	}
	var out [][]int
	for i := range lags {
		var indexes []int
		for _, end := range []string{"a", "b"} {
			name := fmt.Sprintf("p%d%s", i, end)
			if err := cable(near, far, name); err != nil {
				return nil, err
			}
			index, err := far.index(name)
			if err != nil {
				return nil, err
			}
			indexes = append(indexes, index)
		}
		out = append(out, indexes)
	}
	return out, nil
}

// applyLACP makes the aggregates by one file.
func (d *daemon) applyLACP(ctx context.Context, lags int) error {
	var text strings.Builder
	text.WriteString("aggregates:\n")
	for i := range lags {
		fmt.Fprintf(&text, "  bond%d: {mode: 802.3ad, lacp_rate: fast, ports: [p%da, p%db]}\n", i, i, i)
	}
	path := filepath.Join(d.dir, "lacp.yaml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		return err
	}
	return d.yoke(ctx, "apply", path)
}

// ownTime is the processor time of this process.
func ownTime() time.Duration {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
