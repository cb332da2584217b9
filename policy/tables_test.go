package policy

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/yokelag/yoke/agg"
)

// TestTablesRememberNothingThatMatters: whatever was asked before, the answer is that of
// Table.
func TestTablesRememberNothingThatMatters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ports := portsNamed(rapid.IntRange(1, 12).Draw(t, "ports"))
		var tables Tables
		for range 8 {
			for i := range ports {
				ports[i].Usable = rapid.Bool().Draw(t, "usable")
			}
			if rapid.IntRange(0, 3).Draw(t, "reweigh") == 0 {
				ports[0].Weight = rapid.SampledFrom([]uint32{0, 1, 5}).Draw(t, "weight")
			}
			moves := Overlay{7: ports[0].Name}
			if got, want := tables.Table(ports, moves), Table(ports, moves); !slices.Equal(got, want) {
				t.Fatalf("after other tables it is\n%v\nalone it is\n%v", got, want)
			}
			if rapid.Bool().Draw(t, "foresee") {
				tables.Foresee()
			}
		}
	})
}

// BenchmarkFailover is the plan after one port failed.
func BenchmarkFailover(b *testing.B) {
	for _, n := range []int{2, 3, 8} {
		for _, remembers := range []bool{false, true} {
			b.Run(fmt.Sprintf("ports=%d/remembers=%v", n, remembers), func(b *testing.B) {
				c := agg.Config{Mode: agg.BalanceXOR}
				var in Input
				for i, p := range portsNamed(n) {
					c.Ports = append(c.Ports, agg.PortConfig{Name: p.Name})
					in.Ports = append(in.Ports, PortInput{
						Link:  agg.LinkFacts{Name: p.Name, Index: i + 2, Present: true, Speed: 1000},
						Watch: Verdict{State: Up},
					})
				}
				if remembers {
					in.Tables = new(Tables)
					Plan(c, in)
					in.Tables.Foresee()
				}
				in.Ports[0].Watch.State = Down
				for b.Loop() {
					Plan(c, in)
				}
			})
		}
	}
}
