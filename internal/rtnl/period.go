package rtnl

import "time"

const (
	// fastPeriod is the poll's period in the fastWindow after a link event: bursts of
	// lost carriers come together, and the kernel holds back all but the first event.
	fastPeriod = time.Millisecond
	fastWindow = 1500 * time.Millisecond
	// atRest and atEvent are the shares of one core that the poll may take, as divisors.
	// At rest the whole daemon takes no more than one percent.
	atRest  = 320
	atEvent = 100
)

// period returns how long to wait between two polls of an adapting subscription.
// wanted is its own period; all is what one poll of all interfaces costs; calm is the
// time since the last link event.
func period(wanted, all, calm time.Duration) time.Duration {
	if calm < fastWindow {
		return max(min(wanted, fastPeriod), all*atEvent)
	}
	return max(wanted, all*atRest)
}

// cost is what the poll of one interface costs, learnt from polls. It is bounded,
// because a poll that was preempted, or waited for a lock of the kernel, did not use
// the time that passed.
type cost time.Duration

const (
	minCost = cost(time.Microsecond)
	maxCost = cost(10 * time.Microsecond)
)

// learn takes in that a poll of n interfaces took d.
func (c cost) learn(d time.Duration, n int) cost {
	if n == 0 {
		return c
	}
	seen := min(max(cost(d)/cost(n), minCost), maxCost)
	if c == 0 {
		return seen
	}
	return c + (seen-c)/8
}

// of is what one poll of n interfaces costs.
func (c cost) of(n int) time.Duration { return time.Duration(c) * time.Duration(n) }
