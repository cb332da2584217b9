package main

import (
	"context"
	"fmt"
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
	for range s.pairs {
		b, err := r.stream(ctx, throughBare, flows, d, s.run)
		if err != nil {
			return 0, 0, fmt.Errorf("bare veth: %w", err)
		}
		a, err := r.stream(ctx, throughAggregate, flows, d, s.run)
		if err != nil {
			return 0, 0, fmt.Errorf("aggregate: %w", err)
		}
		ratios, bares = append(ratios, a/b), append(bares, b)
	}
	return median(ratios), median(bares), nil
}
