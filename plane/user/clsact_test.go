package user

import (
	"math"
	"testing"
)

func TestOwnDrops(t *testing.T) {
	const top = math.MaxUint32
	for what, c := range map[string]struct {
		last uint32
		seen []uint32
		want uint64
	}{
		"nothing":                     {seen: []uint32{0, 0}, want: 0},
		"grows":                       {last: 2, seen: []uint32{5, 5, 9}, want: 7},
		"a new qdisc":                 {last: 2, seen: []uint32{0}, want: 0},
		"a new qdisc that has grown":  {last: 7, seen: []uint32{9, 0, 3}, want: 5},
		"comes round":                 {last: top - 1, seen: []uint32{3}, want: 5},
		"comes round more than once":  {seen: []uint32{1 << 30, 1 << 31, 3 << 30, 1}, want: 1<<32 + 1},
		"a small one after a big one": {last: 1000, seen: []uint32{999}, want: 999},
	} {
		d := ownDrops{last: c.last}
		for _, now := range c.seen {
			d.see(now)
		}
		if d.sum != c.want {
			t.Errorf("%s: %d, want %d", what, d.sum, c.want)
		}
	}
}
