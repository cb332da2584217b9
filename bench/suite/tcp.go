package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
)

var (
	throughAggregate = path{nearAggregate, farAggregate} //nolint:gochecknoglobals // constants in all but syntax
	throughBare      = path{nearBare, farBare}           //nolint:gochecknoglobals // constants in all but syntax
)

func measureTCP(ctx context.Context, s settings, rep *report) error {
	r, err := newRig()
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.open(ctx, "ebpf"); err != nil {
		return err
	}
	for _, fast := range []bool{false, true} {
		if err := r.apply(ctx, "fast_path="+strconv.FormatBool(fast)); err != nil {
			return err
		}
		name := map[bool]string{false: "ebpf exact", true: "ebpf fast_path"}[fast]
		for _, d := range []direction{outward, inward} {
			ratio, bare, err := r.compareTCP(ctx, s, 1, d)
			if err != nil {
				return err
			}
			rep.add(row{"TCP beside the bare veth", fmt.Sprintf("%s, 1 flow %s", name, d), ratio, "ratio", ">= 0.98",
				fmt.Sprintf("bare %.1f Gbit/s; median of %d pairs", bare, s.pairs)})
		}
	}
	return nil
}

// compareTCP returns the median ratio of the aggregate to the bare veth, and the bare
// veth's median in Gbit/s.
func (r *rig) compareTCP(ctx context.Context, s settings, flows int, d direction) (ratio, bare float64, err error) {
	var ratios, bares []float64
	for i := range s.pairs {
		// Each is first as often as the other, where the machine grows faster or slower.
		order := []path{throughBare, throughAggregate}
		if i%2 == 1 {
			slices.Reverse(order)
		}
		rate := map[path]float64{}
		for _, p := range order {
			if rate[p], err = r.stream(ctx, p, flows, d, s.run); err != nil {
				return 0, 0, fmt.Errorf("from %s: %w", p.nearAddr, err)
			}
		}
		ratios, bares = append(ratios, rate[throughAggregate]/rate[throughBare]), append(bares, rate[throughBare])
	}
	return median(ratios), median(bares), nil
}
