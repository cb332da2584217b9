package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// spreading are the modes and policies, as words of `yoke up`.
func spreading() [][]string {
	out := [][]string{{"mode=active-backup"}, {"mode=balance-rr"}, {"mode=random"}, {"mode=broadcast"}}
	for _, hash := range []string{
		"xmit_hash_policy=layer2", "xmit_hash_policy=layer2+3", "xmit_hash_policy=layer3+4", "xmit_hash_policy=encap2+3",
		"xmit_hash_policy=encap3+4", "xmit_hash_policy=vlan+srcmac", "tx_hash=eth,ipv4,ipv6", "tx_hash=l3,l4",
	} {
		out = append(out, []string{"mode=balance-xor", hash})
	}
	return append(out, []string{"mode=balance-xor", "hash_map=modulo"})
}

// measureFrames compares a small frame's cost through the aggregate with the bare port's,
// transmitting, for every mode and policy. Runs alternate between the two.
func measureFrames(ctx context.Context, s settings, rep *report) error {
	r, err := newRig()
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.open(ctx, "ebpf"); err != nil {
		return err
	}
	s.run /= 4 // there are many
	for _, words := range spreading() {
		for _, way := range []struct {
			name, word string
			goal       float64
		}{{"exact", "fast_path=off", 280}, {"fast_path", "fast_path=on", 150}} {
			if err := r.apply(ctx, append(words, way.word)...); err != nil {
				return err
			}
			added, bare, err := r.compareFrames(ctx, s)
			if err != nil {
				return err
			}
			goal := fmt.Sprintf("<= %.0f", way.goal)
			if words[0] == "mode=broadcast" { // a whole frame more
				goal = fmt.Sprintf("<= %.0f", way.goal+bare)
			}
			rep.add(row{"added cost, 64-byte frame", strings.Join(words, " ") + ", " + way.name, added, "ns", goal,
				fmt.Sprintf("bare port %.0f ns; median of %d pairs", bare, s.pairs)})
		}
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
