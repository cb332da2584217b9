package lacp

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/test/rig"
)

// starts is how often the links are brought up; LACP_STARTS=100 measures.
func starts(t *testing.T) int {
	t.Helper()
	text := os.Getenv("LACP_STARTS")
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("LACP_STARTS=%q is no number of starts", text)
	}
	return n
}

// From the carrier of the first end to both ends distributing on all ports, while the
// second end begins so much later. The times are those of the daemons' logs, to the
// millisecond.
func TestTimeFromLinkUpToDistributing(t *testing.T) {
	for _, ports := range []int{2, 8} {
		for _, offset := range []time.Duration{0, 20 * time.Millisecond, 80 * time.Millisecond} {
			if ports == 8 && offset != 0 && os.Getenv("LACP_STARTS") == "" {
				continue // one case of many ports is enough where nothing is measured
			}
			t.Run(fmt.Sprintf("%d ports, %v apart", ports, offset), func(t *testing.T) {
				a, b := newPair(t, "ebpf", ports)
				b.Must("set", "bond0", "updelay="+offset.String())
				var took []time.Duration
				for range starts(t) {
					took = append(took, startOnce(t, a, b, ports))
				}
				slices.Sort(took)
				t.Logf("%d starts: median %v, worst %v", len(took), took[len(took)/2], took[len(took)-1])
			})
		}
	}
}

func startOnce(t *testing.T, a, b *rig.Rig, ports int) time.Duration {
	t.Helper()
	for _, name := range names(ports) {
		a.Here.SetDown(name)
	}
	for _, r := range []*rig.Rig{a, b} {
		r.WaitCarrying(0)
	}
	from := []int{len(a.Log.String()), len(b.Log.String())}
	for _, name := range names(ports) {
		a.Here.SetUp(name)
	}
	for _, r := range []*rig.Rig{a, b} {
		r.WaitCarrying(ports)
	}
	var first, last time.Time
	for i, r := range []*rig.Rig{a, b} {
		for line := range strings.Lines(r.Log.String()[from[i]:]) {
			at := timeOf(t, line)
			switch {
			case strings.Contains(line, "cause=link-up") && (first.IsZero() || at.Before(first)):
				first = at
			case strings.Contains(line, "cause=MX-08") && at.After(last):
				last = at
			}
		}
	}
	if first.IsZero() || last.Before(first) {
		t.Fatalf("link-up at %v, distributing at %v", first, last)
	}
	return last.Sub(first)
}

// timeOf is that of a line of the daemon's log.
func timeOf(t *testing.T, line string) time.Time {
	t.Helper()
	word, _, _ := strings.Cut(strings.TrimPrefix(line, "time="), " ")
	at, err := time.Parse(time.RFC3339Nano, word)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
