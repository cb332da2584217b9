package vethtest

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Excused is how many frames a busy machine has lost on the way since it was asked last, by
// what counted them: the sockets of the ends (sends refused for want of memory, full
// receive buffers), the kernel's backlog queues, and frames that came later than they were
// awaited. More than so many are the plane's fault.
func (h *harness) Excused() int {
	n := h.bond.excused()
	for port := range sorted(h.ends) {
		n += h.ends[port].excused()
	}
	backlog := backlogDrops()
	n += backlog - h.backlog
	h.backlog = backlog
	return n
}

// excused counts what the end's socket has lost since it was asked last.
func (e *end) excused() int {
	e.drain()
	n := e.refused + e.late
	e.refused, e.late = 0, 0
	// Reading the statistics sets them back.
	if stats, err := unix.GetsockoptTpacketStats(e.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
		n += int(stats.Drops)
	}
	return n
}

// backlogDrops is what all processors have dropped for a full backlog queue.
func backlogDrops() int {
	text, err := os.ReadFile("/proc/net/softnet_stat")
	if err != nil {
		return 0
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 {
			drops, _ := strconv.ParseUint(fields[1], 16, 32) // the kernel writes numbers
			n += int(drops)
		}
	}
	return n
}
