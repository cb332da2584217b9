package policy

import (
	"slices"

	"github.com/yokelag/yoke/agg"
)

// baseOwners returns the owner of each bucket with all configured ports up. Ports come
// in one after the other, in configured order: each takes from those before it exactly
// what they have over their new quotas, and prefers the buckets of its own affinity.
// So a port at the end takes no more than its quota, and nothing else moves.
func baseOwners(ports []TablePort) [agg.NumBuckets]uint8 {
	var owner [agg.NumBuckets]uint8
	held := make([]int, len(ports))
	held[0] = agg.NumBuckets
	for k := 1; k < len(ports); k++ {
		quota := quotas(ports[:k+1])
		order := byAffinity(ports[k].Name)
		for _, b := range order {
			from := owner[b]
			if held[from] > quota[from] {
				to := firstShort(held, quota)
				owner[b] = uint8(to)
				held[from]--
				held[to]++
			}
		}
	}
	return owner
}

// firstShort returns the last port that holds less than its quota: the new one, or a
// port that the largest remainder favours now.
func firstShort(held, quota []int) int {
	for i := len(quota) - 1; i > 0; i-- {
		if held[i] < quota[i] {
			return i
		}
	}
	return 0
}

// quotas shares NumBuckets out by weight with the method of the largest remainder.
// Equal remainders go by order, the first port first.
func quotas(ports []TablePort) []int {
	total := int64(0)
	for _, p := range ports {
		total += weightOf(p)
	}
	out := make([]int, len(ports))
	rest := make([]int, len(ports))
	left := agg.NumBuckets
	for i, p := range ports {
		out[i] = int(weightOf(p) * agg.NumBuckets / total)
		left -= out[i]
		rest[i] = i
	}
	remainder := func(i int) int64 { return weightOf(ports[i]) * agg.NumBuckets % total }
	slices.SortStableFunc(rest, func(a, b int) int {
		return int(min(1, max(-1, remainder(b)-remainder(a))))
	})
	for _, i := range rest[:left] {
		out[i]++
	}
	return out
}

// byAffinity returns all buckets in the order in which the named port prefers them.
func byAffinity(name string) []int {
	out := make([]int, agg.NumBuckets)
	for b := range out {
		out[b] = b
	}
	seed := seedOf(name)
	slices.SortFunc(out, func(a, b int) int {
		x, y := affinity(a, seed), affinity(b, seed)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		default:
			return a - b
		}
	})
	return out
}
