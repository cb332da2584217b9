package engine

import (
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// Readings of what the plane sent and what the port counted, and what status says after
// the last of them.
func TestLostFramesAreAFindingWhereTheyGrow(t *testing.T) {
	for name, c := range map[string]struct {
		behind []uint64
		says   string
	}{
		"none":                      {[]uint64{0, 0, 0, 0}, ""},
		"two readings apart":        {[]uint64{0, 0, 3}, ""},
		"it stays, as a race would": {[]uint64{3, 3, 3, 3}, ""},
		"it grows":                  {[]uint64{3, 5, 9}, "eth1: 9 frames were given to the port and not counted by it, and the number grows"},
		"it grew once":              {[]uint64{3, 5, 9, 9}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var lag lagState
			for i, n := range c.behind {
				sent := uint64(1000 * (i + 1))
				lag.push(agg.PortFacts{TxFrames: sent, DeviceTxFrames: sent - n})
			}
			v := View{Ports: []PortView{{Link: agg.LinkFacts{Name: "eth1"}, Lost: lag.lost()}}}
			if got := said(v, "frames-lost"); got != c.says {
				t.Errorf("got %q, want %q", got, c.says)
			}
		})
	}
}

// The first reading says nothing: the counter is older than the aggregate.
func TestBacklogDropsAreAFindingWhenTheyHappen(t *testing.T) {
	var g growth
	for i, c := range []struct {
		drops uint64
		says  string
	}{
		{50, ""},
		{50, ""},
		{57, "the kernel dropped 7 frames in full backlog queues just now"},
		{57, ""},
	} {
		g.push(c.drops)
		if got := said(View{SoftnetDrops: g.grown}, "softnet-drops"); got != c.says {
			t.Errorf("reading %d: got %q, want %q", i+1, got, c.says)
		}
	}
}

func said(v View, code string) string {
	var texts []string
	for _, f := range findings(v) {
		if f.Code == code {
			texts = append(texts, f.Text)
		}
	}
	return strings.Join(texts, "; ")
}
