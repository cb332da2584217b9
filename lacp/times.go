package lacp

import "time"

// The standard's times (clause 6.4.4).
const (
	FastPeriodicTime   = time.Second
	SlowPeriodicTime   = 30 * time.Second
	ShortTimeoutTime   = 3 * time.Second
	LongTimeoutTime    = 90 * time.Second
	ChurnDetectionTime = 60 * time.Second
	AggregateWaitTime  = 2 * time.Second
	// TransmitLimit is how many LACPDUs a port sends within FastPeriodicTime.
	TransmitLimit = 3
)

// The times that are this package's own choice.
const (
	// holdTime is how long a first port waits for others under WaitFast, again for
	// every newcomer, and holdCap how long the first one waits in all.
	holdTime = 20 * time.Millisecond
	holdCap  = 200 * time.Millisecond
	// retryAfter and retrySpread: where nothing was heard after link-up, one more
	// LACPDU is sent, at a time that differs between the two ends.
	retryAfter  = 100 * time.Millisecond
	retrySpread = 80 * time.Millisecond
	// burstSize LACPDUs within any second, over however many returns of the link.
	burstSize = 10
	// hurryTime is for how long a partner that is current, and not in sync or unaware
	// that we collect, is spoken to every second although it asked for every 30.
	hurryTime = 30 * time.Second
	// challengeTime is the age at which another partner's aggregator may replace an
	// active one that still carries.
	challengeTime = 3 * time.Second
	// crossingTime after a LACPDU of ours, one that disagrees may have crossed it.
	crossingTime = 10 * time.Millisecond
	// copyTime is how soon after a LACPDU its like is taken for a copy of it.
	copyTime = 50 * time.Millisecond
	// resendAfter is the pause after a failed send.
	resendAfter = 100 * time.Millisecond
	// syncTime is how long the partner of a port that was chosen has to come into sync. A
	// partner that waits for other ports takes 2 s (clause 6.4.4, Aggregate_Wait_Time).
	syncTime = 3 * time.Second
	// dampChanges partners within dampWindow hold the port unselected for dampHold.
	dampChanges = 5
	dampWindow  = 10 * time.Second
	dampHold    = 10 * time.Second
	// lateGap is the distance between LACPDUs of a partner asked for one a second that
	// counts as late.
	lateGap = 1500 * time.Millisecond
	// slowRate frames of one subtype a second are read and answered, after a burst.
	slowRate  = 10
	slowBurst = 20
	// leaveQuiet and leaveCap bound how long the receiver of a port that leaves stays
	// open: after the partner stopped, and in all.
	leaveQuiet = 50 * time.Millisecond
	leaveCap   = time.Second
	// flushTime is how long a marker is waited for where Config does not say.
	flushTime = 100 * time.Millisecond
	// fallbackCap is how long the port of a fallback stays open while a LAG forms.
	fallbackCap = 3 * time.Second
)
