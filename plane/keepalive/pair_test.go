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
	here := r.near.Capture("eth0")
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
	total := len(r.frames()) + count()
	t.Logf("%d LACPDUs of 3, in %v", total, 3*AnswerGap)
	// Three were sent, each end may answer once in the gap.
	if total < 5 || total > 3+2*4 {
		t.Errorf("%d LACPDUs came of 3", total)
	}
	nstest.Eventually(t, 3*AnswerGap, func() bool {
		before := len(r.frames()) + count()
		time.Sleep(AnswerGap + 5*pace)
		return len(r.frames())+count() == before
	}, "both to fall silent")
}
