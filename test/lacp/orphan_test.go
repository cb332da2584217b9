package lacp

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// orphaned is how long a daemon is dead: long after a fast partner would have given it up,
// and a minute where the environment asks for the full form.
func orphaned() time.Duration {
	if os.Getenv("YOKE_FULL") != "" {
		return time.Minute
	}
	return 10 * time.Second
}

// A daemon is killed and comes back much later. Its partner, who waits for three seconds,
// sees no change of state, and no frame is lost.
func TestOrphanOutlivesThePartnersTimeout(t *testing.T) {
	a, b := newPair(t, "ebpf", 2, "lacp_rate=fast")
	s := nstest.StartUDP(t, a.Here, a.There, rig.HereAddr, rig.ThereAddr, 100*time.Microsecond)
	back := nstest.StartUDP(t, a.There, a.Here, rig.ThereAddr, rig.HereAddr, time.Millisecond)
	s.WaitReceived(1000)
	settle(t, a, b)
	before := lastSeq(b)
	a.Kill()
	if out := groups(t, a, "eth1"); !strings.Contains(out, "0180c2000002") {
		t.Errorf("the group address went with the daemon:\n%s", out)
	}
	time.Sleep(orphaned())
	if now := events(b)[before:]; len(now) != 0 {
		t.Errorf("while no daemon was there the partner saw:\n%s", strings.Join(now, ""))
	}
	a.Start()
	a.WaitCarrying(2)
	for _, p := range a.Status().Ports {
		nstest.Eventually(t, 5*time.Second, func() bool {
			return strings.Contains(a.Must("events", "bond0"), p.Name+": the partner was answered ")
		}, "%s to tell that it was spoken for; its log:\n%s", p.Name, a.Log)
	}
	time.Sleep(2 * time.Second) // what the partner would notice late
	if now := events(b)[before:]; len(now) != 0 {
		t.Errorf("when the daemon was back the partner saw:\n%s", strings.Join(now, ""))
	}
	rig.Lossless(t, "from the orphan", s.Stop())
	rig.Lossless(t, "to the orphan", back.Stop())
}

// settle waits until both ends have told each other all.
func settle(t *testing.T, a, b *rig.Rig) {
	t.Helper()
	for _, r := range []*rig.Rig{a, b} {
		r.WaitFor(func(s agg.Status) bool {
			for _, p := range s.Ports {
				if p.LACP == nil || p.LACP.Partner.State&0x3f != 0x3f {
					return false
				}
			}
			return true
		}, "the partner to distribute")
	}
}

// The same without what speaks for the daemon: the partner notices, so the test above
// would.
func TestOrphanThatSaysNothingIsNoticed(t *testing.T) {
	a, b := newPair(t, "ebpf", 2, "lacp_rate=fast")
	settle(t, a, b)
	a.Kill()
	for _, port := range names(2) {
		nstest.Command(t, a.Here, "tc", "filter", "del", "dev", port, "ingress", "pref", answerPref(t, a, port))
	}
	start := time.Now()
	b.WaitFor(func(s agg.Status) bool { return s.Carrying == 0 }, "the partner to give the orphan up")
	t.Logf("the partner gave up after %v", time.Since(start))
}

// answerPref is the priority of the filter that answers.
func answerPref(t *testing.T, r *rig.Rig, port string) string {
	t.Helper()
	for line := range strings.Lines(nstest.Command(t, r.Here, "tc", "filter", "show", "dev", port, "ingress")) {
		words := strings.Fields(line)
		for i, w := range words {
			if w == "pref" && strings.Contains(line, "yoke-answer") {
				return words[i+1]
			}
		}
	}
	t.Fatalf("nothing answers on %s", port)
	return ""
}

// The partner dies too: nothing leaves by the ports within four seconds.
func TestOrphanDoesNotSendToTheDead(t *testing.T) {
	a, b := newPair(t, "ebpf", 2, "lacp_rate=fast")
	settle(t, a, b)
	s := nstest.StartUDP(t, a.Here, a.There, rig.HereAddr, rig.ThereAddr, time.Millisecond)
	s.WaitReceived(100)
	a.Kill()
	heal := []func(){deafen(t, a, "eth1"), deafen(t, a, "eth2")}
	start := time.Now()
	nstest.Eventually(t, 6*time.Second, func() bool {
		n := s.Received()
		time.Sleep(100 * time.Millisecond)
		return s.Received() == n
	}, "frames to stay")
	t.Logf("frames stayed %v after the partner's silence began", time.Since(start))
	for _, f := range heal {
		f()
	}
	a.Start()
	a.WaitCarrying(2)
	s.WaitReceived(100)
	s.Stop()
}
