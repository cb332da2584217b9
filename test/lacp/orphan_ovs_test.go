package lacp

import (
	"fmt"
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// An Open vSwitch that waits for three seconds does not notice that a daemon was dead, and
// loses no frame by it.
func TestOpenVSwitchDoesNotNoticeAnOrphan(t *testing.T) {
	r, v := withOVS(t, "ebpf", "lacp=active", "other_config:lacp-time=fast")
	v.up("ebpf", "lacp_rate=fast")
	r.WaitCarrying(2)
	v.waitAgreed()
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
