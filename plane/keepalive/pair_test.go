package keepalive

import (
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/wire/slow"
)

// Two orphans face each other: one LACPDU between them does not become a storm.
func TestTwoOrphansDoNotStorm(t *testing.T) {
	r := newRig(t, Options{})
	var other *Keeper
	r.run(r.far, func() (err error) { other, err = Open(Options{}); return err })
	t.Cleanup(func() { other.Close() })
	r.agree()
	r.run(r.far, func() error {
		return other.Set(r.far.Index("eth0"), State{Speak: true, Actor: theirs, Partner: ours, Source: source})
	})
	here, start := r.near.Capture("eth0"), time.Now()
	r.beat(orphaned)
	beat(t, other, orphaned)
	for range 3 {
		r.send(pdu())
		time.Sleep(AnswerGap)
	}
	count := func() (n int) {
		for _, f := range here.Frames() {
			if slow.Addr(f.Bytes[:6]) == slow.Group() {
				n++
			}
		}
		return n
	}
	nstest.Eventually(t, patience, func() bool { return len(r.frames())+count() >= 5 }, "an answer of each end")
	total, took := len(r.frames())+count(), time.Since(start)
	t.Logf("%d LACPDUs of 3, in %v", total, took)
	// Three were sent, each end may answer once in the gap.
	if total > 3+2*(1+int(took/AnswerGap)) {
		t.Errorf("%d LACPDUs came of 3", total)
	}
	nstest.Eventually(t, patience, func() bool {
		before := len(r.frames()) + count()
		time.Sleep(AnswerGap + 5*pace)
		return len(r.frames())+count() == before
	}, "both to fall silent")
}
