package bootclock

import "github.com/yokelag/yoke/agg"

// Clock is this clock as the engine wants one.
type Clock struct{}

// Now is the function Now as an instant.
func (Clock) Now() agg.Instant { return agg.Instant(Now()) }
