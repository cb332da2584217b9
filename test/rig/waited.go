package rig

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Waited is for how long the daemon and this test, all threads together, could have run since
// they began and were given no processor, with what the machine itself was refused by its host.
// It is the witness that a machine was late and not Yoke. Of threads that have ended, and of a
// kernel that does not count it, nothing is known.
func (r *Rig) Waited() (sum time.Duration) {
	r.T.Helper()
	for _, process := range []int{os.Getpid(), r.PID()} {
		tasks, _ := filepath.Glob("/proc/" + strconv.Itoa(process) + "/task/*/schedstat")
		for _, file := range tasks {
			sum += time.Duration(number(file, "", 1)) // nanoseconds on a processor, waiting for one, and how often
		}
	}
	const tick = 10 * time.Millisecond // USER_HZ, which is 100 everywhere
	return sum + tick*time.Duration(number("/proc/stat", "cpu ", 7))
}

// number is a word of the first line of a file of the kernel, behind the prefix; 0 where there
// is none.
func number(file, prefix string, word int) uint64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(strings.TrimPrefix(string(text), prefix), "\n")
	words := strings.Fields(line)
	if len(words) <= word {
		return 0
	}
	n, _ := strconv.ParseUint(words[word], 10, 64) // the kernel writes numbers
	return n
}
