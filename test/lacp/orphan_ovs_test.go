package lacp

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
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
		t.Run(rate, func(t *testing.T) {
			for try := 1; !orphanOfOpenVSwitch(t, rate); try++ {
				if t.Log("the machine had no time for Open vSwitch, which was silent for longer than a partner may be"); try == 3 {
					t.Fatal("so it was three times")
				}
			}
		})
	}
}

// orphanOfOpenVSwitch is not ok where Open vSwitch itself stood still: it takes us for dead
// then, and we it.
func orphanOfOpenVSwitch(t *testing.T, rate string) (ok bool) {
	t.Helper()
	r, v := withOVS(t, "ebpf", "lacp=active", "other_config:lacp-time=fast")
	v.up("ebpf", "lacp_rate="+rate)
	r.WaitCarrying(2)
	v.waitAgreed()
	v.waitFast()
	r.Here.MustPing(rig.ThereAddr)
	pace := time.Millisecond // so that what runs beside it has a processor too
	if os.Getenv("YOKE_FULL") != "" {
		pace = 100 * time.Microsecond
	}
	s := nstest.StartUDP(t, r.Here, r.There, rig.HereAddr, rig.ThereAddr, pace)
	s.WaitReceived(100)
	before, full := fmt.Sprint(v.show()), overflowed(r)
	r.Kill()
	for end := time.Now().Add(orphaned()); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if now := fmt.Sprint(v.show()); now != before {
			if v.stoodStill() {
				return false
			}
			t.Fatalf("Open vSwitch noticed:\n%s\nbefore:\n%s", now, before)
		}
	}
	r.Start()
	r.WaitCarrying(2)
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if now := fmt.Sprint(v.show()); now != before {
			if v.stoodStill() {
				return false
			}
			t.Fatalf("Open vSwitch noticed the daemon's return:\n%s\nbefore:\n%s", now, before)
		}
	}
	got := s.Stop()
	late := min(got.Lost, overflowed(r)-full)
	t.Logf("%d came, and were not read in time", late)
	if got.Lost -= late; got.Lost > 0 && v.stoodStill() {
		return false
	}
	rig.Lossless(t, "to Open vSwitch", got)
	return true
}

// longPoll is what Open vSwitch logs of itself when it comes late to what it has to do.
var longPoll = regexp.MustCompile(`Unreasonably long (\d+)ms poll interval`)

// stoodStill reports whether Open vSwitch says that it once did nothing for as long as makes it
// miss two of the messages that it sends each second.
func (v *ovs) stoodStill() bool {
	v.r.T.Helper()
	text, err := os.ReadFile(filepath.Join(v.dir, "ovs-vswitchd.log"))
	if err != nil {
		v.r.T.Fatal(err)
	}
	for _, found := range longPoll.FindAllSubmatch(text, -1) {
		if ms, err := strconv.Atoi(string(found[1])); err == nil && ms >= 2000 {
			return true
		}
	}
	return false
}

// overflowed is how many frames the sockets of Open vSwitch, which have room for some 270
// each, had no room for: the machine gave it no time to read.
func overflowed(r *rig.Rig) (dropped uint64) {
	r.T.Helper()
	for line := range strings.Lines(nstest.Command(r.T, r.There, "ss", "-0", "-m")) {
		_, count, found := strings.Cut(line, ",d")
		if !found || !strings.Contains(line, "p_raw") {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimRight(strings.TrimSpace(count), ")"), 10, 64)
		if err != nil {
			r.T.Fatalf("%v in %q", err, line)
		}
		dropped += n
	}
	return dropped
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
