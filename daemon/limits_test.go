package daemon

import (
	"fmt"
	"testing"

	"github.com/yokelag/yoke/control"
)

// A thousand aggregates carry, and one more is refused with what to do.
func TestAThousandAggregates(t *testing.T) {
	var links []string
	for i := range maxAggregates + 1 {
		links = append(links, fmt.Sprintf("p%d", i))
	}
	r := newRig(t, links...)
	r.start()
	for i := range maxAggregates {
		if s := r.mustUp(fmt.Sprintf("bond%d", i), links[i]); s.Carrying != 1 {
			t.Fatalf("bond%d: %s", i, s.Summary)
		}
	}
	_, err := r.up("onemore", links[maxAggregates])
	if !control.HasCode(err, "too-many-aggregates") {
		t.Fatalf("got %v", err)
	}
	if _, err := r.client.Down(t.Context(), "bond7"); err != nil {
		t.Fatal(err)
	}
	r.mustUp("onemore", links[maxAggregates])
}
