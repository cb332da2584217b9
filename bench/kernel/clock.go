package main

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// perInstruction is the machine's virtual time of one instruction (-icount shift=1).
const perInstruction = 2 * time.Nanosecond

// now is the virtual time, unadjusted.
func now() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC_RAW, &ts) // it has always been there
	return time.Duration(ts.Nano())
}

// idle is how long the processor has waited since boot. The machine jumps over such time.
func idle() (time.Duration, error) {
	text, err := os.ReadFile("/proc/timer_list")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), ".idle_sleeptime"); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[1], 10, 64)
			return time.Duration(n), err
		}
	}
	return 0, errors.New("/proc/timer_list does not tell how long the processor was idle")
}

// sleep lets virtual time pass without telling the runtime.
func sleep(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	for unix.Nanosleep(&ts, &ts) != nil {
		continue // interrupted: the rest of it
	}
}
