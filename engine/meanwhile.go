package engine

import (
	"context"
	"time"

	"github.com/yokelag/yoke/agg"
)

// meanwhile runs f, which asks the kernel and may wait for it long: its one lock for links
// is also that of everybody else. Partners count the seconds, so until f is done frames and
// timers of LACP are served, but for what a plan depends on: that is left for the round that
// follows. f must not touch what belongs to LACP, nor save.
func (e *Engine) meanwhile(ctx context.Context, f func()) {
	l := &e.lag
	if l.system == nil || l.ear == nil {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	for {
		timer := time.NewTimer(e.meanwhilePause())
		wake := e.earWake()
		if l.mustRound() {
			wake = nil
		}
		select {
		case <-done:
			timer.Stop()
			return
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
		if !l.mustRound() {
			e.turn(ctx)
		}
	}
}

// mustRound reports that what the machines said waits for a plan or for fresh links.
func (l *lag) mustRound() bool { return l.replan || l.relook }

// meanwhilePause is the time to the next thing that LACP has to do without a plan.
func (e *Engine) meanwhilePause() time.Duration {
	at := agg.Earliest(e.lacpAt(), e.beatDue())
	if e.lag.mustRound() || at == agg.Never {
		return time.Hour
	}
	return max(0, at.Sub(e.w.Clock.Now()))
}
