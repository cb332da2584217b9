package lab

import (
	"fmt"
	"strings"
	"time"
)

// harm is what a relay does to frames of one direction. Percentages are of frames,
// 0 to 100.
type harm struct {
	lose      int
	duplicate int
	// reorder lets a frame pass only behind the next one.
	reorder int
	delay   time.Duration
	// rate is in Mb/s, 0 for no bound.
	rate int
}

// with adds one fault to what is there.
func (h harm) with(f Fault) harm {
	switch f.Do {
	case Lose:
		h.lose = f.percent()
	case Duplicate:
		h.duplicate = f.percent()
	case Reorder:
		h.reorder = f.percent()
	case Delay:
		h.delay = time.Duration(f.Delay)
	case Rate:
		h.rate = f.Rate
	default: // Heal
		return harm{}
	}
	return h
}

// String describes the harm, empty for none.
func (h harm) String() string {
	var parts []string
	share := func(percent int, verb string) {
		switch {
		case percent == 100:
			parts = append(parts, verb+" all")
		case percent > 0:
			parts = append(parts, fmt.Sprintf("%s %d %%", verb, percent))
		}
	}
	share(h.lose, "loses")
	share(h.duplicate, "duplicates")
	share(h.reorder, "reorders")
	if h.delay > 0 {
		parts = append(parts, fmt.Sprintf("holds for %v", h.delay))
	}
	if h.rate > 0 {
		parts = append(parts, fmt.Sprintf("carries %d Mb/s", h.rate))
	}
	return strings.Join(parts, ", ")
}
