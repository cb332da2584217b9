package keepalive

import (
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
)

// monotonic is CLOCK_MONOTONIC, ns: the programs' clock, which costs less than that of the
// time since boot.
func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("keepalive: read CLOCK_MONOTONIC: " + err.Error()) // every Linux has it
	}
	return ts.Nano()
}

// suspended is how far CLOCK_BOOTTIME is ahead of it.
func suspended() int64 { return bootclock.Now() - monotonic() }

func toInstant(t uint64) agg.Instant {
	if t == 0 {
		return agg.Never
	}
	return agg.Instant(int64(t) + suspended())
}

func fromInstant(t agg.Instant) uint64 { return uint64(max(1, int64(t)-suspended())) }
