package lacp

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// An Open vSwitch that waits for three seconds does not notice that a daemon was dead, and
// loses no frame by it.
// Where we are slow it has been asked to be fast all the same, because it asks for that. It
// takes up to 30 s to become so, which is for the full form.
func TestOpenVSwitchDoesNotNoticeAnOrphan(t *testing.T) {
	rates := []string{"fast"}
	if os.Getenv("YOKE_FULL") != "" {
		rates = append(rates, "slow")
	}
	for _, rate := range rates {
		t.Run(rate, func(t *testing.T) { orphanOfOpenVSwitch(t, rate) })
	}
}

func orphanOfOpenVSwitch(t *testing.T, rate string) {
	t.Helper()
	r, v := withOVS(t, "ebpf", "lacp=active", "other_config:lacp-time=fast")
	v.up("ebpf", "lacp_rate="+rate)
	r.WaitCarrying(2)
	v.waitAgreed()
	v.waitFast()
	r.Here.MustPing(rig.ThereAddr)
	s := nstest.StartUDP(t, r.Here, r.There, rig.HereAddr, rig.ThereAddr, time.Millisecond)
	s.WaitReceived(100)
	before := fmt.Sprint(v.show())
	r.Kill()
	for end := time.Now().Add(orphaned()); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if now := fmt.Sprint(v.show()); now != before {
			t.Fatalf("Open vSwitch noticed:\n%s\nbefore:\n%s", now, before)
		}
	}
	r.Start()
	r.WaitCarrying(2)
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if now := fmt.Sprint(v.show()); now != before {
			t.Fatalf("Open vSwitch noticed the daemon's return:\n%s\nbefore:\n%s", now, before)
		}
	}
	rig.Lossless(t, "to Open vSwitch", s.Stop())
}

// waitFast waits until Open vSwitch speaks every second. It does not hurry when it is asked
// to: what it had planned to say in 30 seconds it says then.
func (v *ovs) waitFast() {
	v.r.T.Helper()
	var at time.Time
	last := uint64(0)
	nstest.Eventually(v.r.T, 45*time.Second, func() bool {
		time.Sleep(100 * time.Millisecond)
		n := v.r.Status().Ports[0].LACP.Counters["rx_lacpdu"]
		if n == last {
			return false
		}
		pause := time.Since(at)
		last, at = n, time.Now()
		return pause > 500*time.Millisecond && pause < 1500*time.Millisecond
	}, "Open vSwitch to speak every second")
}
