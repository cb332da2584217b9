package ebpf

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/bootclock"
)

// bootAhead is how far CLOCK_BOOTTIME is ahead of CLOCK_MONOTONIC: the time spent
// suspended. Programs stamp table entries with the coarse monotonic clock, which costs
// a fifth of reading the boot clock.
func bootAhead() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0
	}
	return time.Duration(bootclock.Now() - ts.Nano()).Round(time.Millisecond)
}
