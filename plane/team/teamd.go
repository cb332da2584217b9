package team

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
)

// pidFiles are where teamd says that it controls a device: by itself, and as the scripts of
// old distributions start it.
func pidFiles(run, device string) []string {
	return []string{filepath.Join(run, "teamd", device+".pid"), filepath.Join(run, "teamd-"+device+".pid")}
}

// rival refuses a device that a living teamd controls: each would undo what the other does.
func rival(device string) error {
	for _, file := range pidFiles("/run", device) {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil || !isTeamd(pid) {
			continue // it has ended without a word
		}
		return &agg.Problem{
			Code: "teamd-runs", Object: device, Rule: fmt.Sprintf("is controlled by teamd, process %d", pid),
			Remedy: fmt.Sprintf("`systemctl mask --runtime teamd@%s; kill -9 %d` leaves the device to Yoke (`teamd -k` would delete it)", device, pid),
		}
	}
	return nil
}

// isTeamd reports whether a process is a teamd in the network namespace of the caller.
func isTeamd(pid int) bool {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil || strings.TrimSpace(string(name)) != "teamd" {
		return false
	}
	var ours, theirs unix.Stat_t
	return unix.Stat("/proc/thread-self/ns/net", &ours) == nil && unix.Stat(fmt.Sprintf("/proc/%d/ns/net", pid), &theirs) == nil &&
		ours.Dev == theirs.Dev && ours.Ino == theirs.Ino
}
