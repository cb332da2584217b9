package engine

import "time"

const (
	// verifyAfter is how long a published plan waits before it is read back, so that
	// ports that fail together are not served later because of the reading.
	verifyAfter = 20 * time.Millisecond
	// lookPause is the least time between two readings for other reasons than a new plan.
	lookPause = 250 * time.Millisecond
	// verifyEvery is the period of reading the plan back when nothing happens.
	verifyEvery = 3 * time.Second
	// drainLook is how often a planned move looks for a pause in the traffic.
	drainLook = 10 * time.Millisecond
	// yieldSpare is what a port that gives its place away may send longer than a planned move
	// takes at most: its place is given away before the move begins.
	yieldSpare = 500 * time.Millisecond
	// minNotifyInterval is the least time between two announcements of one failover.
	minNotifyInterval = 10 * time.Millisecond
	// retryFirst and retryMost bound the pause before a refused call is made again.
	retryFirst = time.Millisecond
	retryMost  = time.Second
	// updateTries is how often a change is tried before it is taken back, and
	// beginTries how often the first plan is before Ready reports the error.
	updateTries = 5
	beginTries  = 5
	// saveRetry is the pause before state is written again that could not be written.
	saveRetry = time.Second
	// shownReasons bounds the ports that the first line of status explains.
	shownReasons = 4
)

// backoff is the pause after the nth failure in a row, counted from 1.
func backoff(n int) time.Duration {
	return min(retryMost, retryFirst<<min(n-1, 20))
}
