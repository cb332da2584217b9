package nstest

import (
	"testing"
	"time"
)

// Eventually waits until cond holds and fails the test when it does not within limit.
// The format and its arguments name what was waited for.
func Eventually(t testing.TB, limit time.Duration, cond func() bool, format string, args ...any) {
	t.Helper()
	for deadline := time.Now().Add(limit); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for "+format, append([]any{limit}, args...)...)
		}
	}
}
