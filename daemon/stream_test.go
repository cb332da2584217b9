package daemon

import (
	"fmt"
	"slices"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// A reader is told which events it will never see, where they would have stood.
func TestItemsTellWhatIsLostInItsPlace(t *testing.T) {
	for _, c := range []struct {
		since uint64
		kept  []uint64
		lost  uint64
		want  []string
		seen  uint64
	}{
		{0, []uint64{1, 2}, 0, []string{"1", "2"}, 2},
		{0, []uint64{5, 6}, 4, []string{"5", "6"}, 6},
		{2, []uint64{5, 6}, 2, []string{"3-4", "5", "6"}, 6},
		// A daemon was killed: numbers were set aside that no event had.
		{3, []uint64{4}, 128, []string{"4", "5-132"}, 132},
		{3, []uint64{4, 133}, 128, []string{"4", "5-132", "133"}, 133},
		{0, []uint64{4}, 131, []string{"4"}, 132},
		{9, nil, 0, nil, 9},
	} {
		var events []agg.Event
		for _, seq := range c.kept {
			events = append(events, agg.Event{Seq: seq})
		}
		items, seen := itemsOf("bond0", c.since, events, c.lost)
		var got []string
		for _, item := range items {
			if item.Lost != nil {
				got = append(got, fmt.Sprintf("%d-%d", item.Lost.First, item.Lost.Last))
			} else {
				got = append(got, fmt.Sprint(item.Event.Seq))
			}
		}
		if !slices.Equal(got, c.want) || seen != c.seen {
			t.Errorf("since %d of %v: got %v up to %d, want %v up to %d", c.since, c.kept, got, seen, c.want, c.seen)
		}
	}
}
