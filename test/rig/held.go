package rig

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/wire"
)

// Held fails the test where a datagram of the stream came out of a cable later than due, by
// the kernel's time of its arrival. It waits until the stream has gone on after that.
func Held(t *testing.T, s *nstest.Stream, due time.Time, cables ...*nstest.Capture) {
	t.Helper()
	sent := s.Sent()
	nstest.Eventually(t, patience+time.Until(due), func() bool {
		if time.Now().Before(due) {
			sent = s.Sent()
		}
		return s.Sent() >= sent+100
	}, "the stream to go on")
	var last time.Time
	for _, c := range cables {
		for _, f := range c.Frames() {
			if at := c.Began().Add(f.At); at.After(last) && wire.EtherType(binary.BigEndian.Uint16(f.Bytes[12:])) == wire.TypeIPv4 {
				last = at
			}
		}
	}
	if last.IsZero() {
		t.Fatal("no frame was seen on the cables")
	}
	t.Logf("the last frame came %v before it was to be over", due.Sub(last).Round(time.Millisecond))
	if last.After(due) {
		t.Error("frames came later than they may")
	}
}
