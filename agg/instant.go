package agg

import "time"

// Instant is a point in time in nanoseconds of CLOCK_BOOTTIME. It compares between
// processes of one boot and with bpf_ktime_get_boot_ns. The zero Instant means
// "never".
type Instant int64

// Never is the zero Instant: no time at all, or a deadline that is not armed.
const Never Instant = 0

// Add returns the instant d after i.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d) }

// Sub returns the duration from j to i.
func (i Instant) Sub(j Instant) time.Duration { return time.Duration(i - j) }

// Before reports whether i is earlier than j.
func (i Instant) Before(j Instant) bool { return i < j }

// Earliest returns the earlier of two deadlines, where Never means "not armed".
func Earliest(i, j Instant) Instant {
	switch {
	case i == Never:
		return j
	case j == Never || i < j:
		return i
	default:
		return j
	}
}
