package demo

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// throughputTime is how long one measurement takes.
const throughputTime = 250 * time.Millisecond

// throughput measures one TCP connection through each aggregate and through the bare
// link, by turns, and takes the best of each, so that what else the machine does has
// the least part in it.
func (g *guide) throughput(ctx context.Context, r *Result) error {
	g.say("Throughput of one TCP connection, beside a bare link of the same switch:")
	type link struct {
		name, host, address string
		to, from            []float64
		result              *Throughput
	}
	links := []*link{{name: "bare link", host: "bare", address: "10.77.0.3", result: &r.Bare}}
	for _, s := range g.subjects {
		links = append(links, &link{name: s.aggregate, host: s.host, address: s.address, result: &s.result.Throughput})
	}
	for range g.options.Rounds {
		for _, l := range links {
			to, err := g.lab.Throughput(ctx, l.host, "peer", "10.77.0.4", throughputTime)
			if err != nil {
				return err
			}
			from, err := g.lab.Throughput(ctx, "peer", l.host, l.address, throughputTime)
			if err != nil {
				return err
			}
			l.to, l.from = append(l.to, to), append(l.from, from)
		}
	}
	for _, l := range links {
		*l.result = Throughput{To: slices.Max(l.to), From: slices.Max(l.from), Rounds: g.options.Rounds}
		g.say("  %-9s  to the peer %s, from it %s", l.name, gigabits(l.result.To), gigabits(l.result.From))
	}
	g.say("")
	return nil
}

func gigabits(bits float64) string { return fmt.Sprintf("%.1f Gbit/s", bits/1e9) }
