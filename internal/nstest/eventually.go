package nstest

import (
	"testing"
	"time"
)

// Eventually waits until cond holds and fails the test when it does not within limit.
// The format and its arguments name what was waited for. The last look begins after the
// limit, so that a test which was held up in between does not fail for that.
func Eventually(t testing.TB, limit time.Duration, cond func() bool, format string, args ...any) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(time.Millisecond) {
		last := time.Now().After(deadline)
		if cond() {
			return
		}
		if last {
			t.Fatalf("waited %v for "+format, append([]any{limit}, args...)...)
		}
	}
}
