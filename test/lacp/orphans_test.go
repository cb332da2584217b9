package lacp

import (
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
	"github.com/yokelag/yoke/wire/slow"
)

// Both daemons are killed, and both ends asked for slow: nobody has to speak, and traffic
// goes on.
func TestTwoOrphansOfSlowRateCarry(t *testing.T) {
	a, b := newPair(t, "ebpf", 2)
	s := nstest.StartUDP(t, a.Here, a.There, rig.HereAddr, rig.ThereAddr, time.Millisecond)
	s.WaitReceived(100)
	a.Kill()
	b.Kill()
	time.Sleep(6 * time.Second) // twice the timeout of fast
	rig.Lossless(t, "between two orphans", s.Stop())
	a.Start()
	b.Start()
	for _, r := range []*rig.Rig{a, b} {
		r.WaitCarrying(2)
	}
	a.Here.MustPing(rig.ThereAddr)
}

// Both daemons are killed at fast rate, one after the other. What answers in their place cannot begin, so each end
// takes the other for dead after its timeout; but there is no storm, and when the daemons
// are back so is the traffic.
func TestTwoOrphansOfFastRateDoNotStorm(t *testing.T) {
	a, b := newPair(t, "ebpf", 2, "lacp_rate=fast")
	settle(t, a, b)
	began := time.Now()
	heard := []*nstest.Capture{a.Here.Capture("eth1"), b.Here.Capture("eth1")}
	s := nstest.StartUDP(t, a.Here, a.There, rig.HereAddr, rig.ThereAddr, time.Millisecond)
	s.WaitReceived(100)
	a.Kill()
	time.Sleep(2 * time.Second) // what answers for it has begun
	b.Kill()
	start := time.Now()
	nstest.Eventually(t, 30*time.Second, func() bool {
		n := s.Received()
		time.Sleep(100 * time.Millisecond)
		return s.Received() == n
	}, "frames to stay")
	t.Logf("frames stayed %v after both daemons ended", time.Since(start))
	time.Sleep(2 * time.Second)
	pdus := 0
	for _, c := range heard {
		for _, f := range c.Frames() {
			if slow.Addr(f.Bytes[:6]) == slow.Group() {
				pdus++
			}
		}
	}
	t.Logf("%d LACPDUs on one cable", pdus)
	// No end says more than three in a second, living or dead.
	if most := 2 * 3 * (int(time.Since(began).Seconds()) + 2); pdus > most {
		t.Errorf("%d LACPDUs came on one cable in %v", pdus, time.Since(began))
	}
	a.Start()
	b.Start()
	for _, r := range []*rig.Rig{a, b} {
		r.WaitCarrying(2)
	}
	a.Here.MustPing(rig.ThereAddr)
	s.Stop()
}
