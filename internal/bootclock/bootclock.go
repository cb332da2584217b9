package bootclock

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Now returns nanoseconds of CLOCK_BOOTTIME, the clock of bpf_ktime_get_boot_ns. Every
// Linux since 2.6.39 has it, so a failure is a broken system and panics.
func Now() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic("bootclock: read CLOCK_BOOTTIME: " + err.Error())
	}
	return ts.Nano()
}

// bootIDFile is the kernel's random UUID of this boot.
const bootIDFile = "/proc/sys/kernel/random/boot_id"

// BootID returns the kernel's random identity of this boot, a UUID in text form.
func BootID() (string, error) {
	b, err := os.ReadFile(bootIDFile)
	if err != nil {
		return "", fmt.Errorf("read boot id: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}
