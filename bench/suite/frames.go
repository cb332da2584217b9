package main

import (
	"context"
	"fmt"
	"time"

	"github.com/yokelag/yoke/agg"
)

// measureFrames compares a small frame's cost through the aggregate with the bare port's,
// transmitting. Runs alternate between the two.
func measureFrames(ctx context.Context, s settings, rep *report) error {
	r, err := newRig()
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.open(ctx, "ebpf"); err != nil {
		return err
	}
	for _, c := range []struct {
		name string
		mode agg.Mode
		fast bool
		goal string
	}{
		{"active-backup, exact", agg.ActiveBackup, false, "<= 280"},
		{"active-backup, fast_path", agg.ActiveBackup, true, "<= 150"},
		{"balance-xor layer3+4, exact", agg.BalanceXOR, false, "<= 280"},
		{"balance-xor layer3+4, fast_path", agg.BalanceXOR, true, "<= 150"},
	} {
		if err := r.apply(ctx, c.mode, c.fast); err != nil {
			return err
		}
		added, bare, err := r.compareFrames(ctx, s)
		if err != nil {
			return err
		}
		rep.add(row{"added cost, 64-byte frame", c.name, added, "ns", c.goal, fmt.Sprintf("bare port %.0f ns; median of %d pairs", bare, s.pairs)})
	}
	return nil
}

// compareFrames returns the medians of what the aggregate adds, and of the bare port.
func (r *rig) compareFrames(ctx context.Context, s settings) (added, bare float64, err error) {
	frames := smallFrames(batch)
	onBare, err := newGenerator(r.near, "bare", frames)
	if err != nil {
		return 0, 0, err
	}
	defer onBare.close()
	onAggregate, err := newGenerator(r.near, "bond0", frames)
	if err != nil {
		return 0, 0, err
	}
	defer onAggregate.close()
	var adds, bares []float64
	for i := 0; i < s.pairs && ctx.Err() == nil; i++ {
		a, b, err := alternate(onAggregate, onBare, s.run)
		if err != nil {
			return 0, 0, err
		}
		adds, bares = append(adds, a-b), append(bares, b)
	}
	if len(adds) == 0 {
		return 0, 0, ctx.Err()
	}
	return median(adds), median(bares), nil
}

// slice is how long one generator runs before the other has its turn: short, so that
// both meet the same machine.
const slice = 20 * time.Millisecond

// alternate lets two generators take turns for the length of a run each, and returns
// the median of each one's turns in nanoseconds a frame.
func alternate(x, y *generator, length time.Duration) (float64, float64, error) {
	var xs, ys []float64
	for range max(1, int(length/slice)) {
		a, err := x.run(slice)
		if err != nil {
			return 0, 0, err
		}
		b, err := y.run(slice)
		if err != nil {
			return 0, 0, err
		}
		xs, ys = append(xs, a), append(ys, b)
	}
	return median(xs), median(ys), nil
}
