package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/policy"
)

// measureMoves counts the flows that move when one of eight ports goes and comes back, with
// buckets and, to compare, with modulo.
func measureMoves(_ context.Context, _ settings, rep *report) error {
	const flows, ports, dead = 100_000, 8, 5
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	hashes := make([]uint32, flows)
	for i := range hashes {
		hashes[i] = random.Uint32()
	}
	var all, without []policy.TablePort
	for i := range ports {
		p := policy.TablePort{Name: fmt.Sprintf("eth%d", i), Weight: 1, Usable: true}
		all = append(all, p)
		p.Usable = i != dead
		without = append(without, p)
	}
	for _, m := range []struct {
		name  string
		table func([]policy.TablePort) []agg.Choice
		entry func(hash uint32, n int) int
		goal  string
	}{
		{"hash_map=buckets", func(p []policy.TablePort) []agg.Choice { return policy.Table(p, nil) },
			func(h uint32, _ int) int { return agg.BucketOf(h) }, "0"},
		{"hash_map=modulo", policy.ModuloTable, func(h uint32, n int) int { return int(h % uint32(n)) }, ""},
	} {
		before, during, after := m.table(all), m.table(without), m.table(all)
		owned, others, astray := 0, 0, 0
		for _, h := range hashes {
			was := before[m.entry(h, len(before))].First
			switch is := during[m.entry(h, len(during))].First; {
			case was == dead:
				owned++
			case was != is:
				others++
			}
			if after[m.entry(h, len(after))].First != was {
				astray++
			}
		}
		note := fmt.Sprintf("of %d flows, %d are the port's own", flows, owned)
		rep.add(
			row{"1 of 8 ports goes: flows of others that move", m.name, float64(others), "flows", m.goal, note},
			row{"it comes back: flows that are not where they were", m.name, float64(astray), "flows", "0", ""},
		)
	}
	return nil
}
