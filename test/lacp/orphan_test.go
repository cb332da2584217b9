package lacp

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
	"github.com/yokelag/yoke/wire/slow"
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

// The same without what speaks for the daemon: the partner notices three seconds after the
// last word, so the test above would. A second more is the partner's, and all for which the
// machine gave it no time.
func TestOrphanThatSaysNothingIsNoticed(t *testing.T) {
	a, b := newPair(t, "ebpf", 2, "lacp_rate=fast")
	said, heard := captures(b.There), captures(b.Here)
	settle(t, a, b)
	for port, c := range heard {
		nstest.Eventually(t, 10*time.Second, func() bool { return len(words(c)) > 0 }, "a word on %s", port)
	}
	s := nstest.StartUDP(t, a.Here, a.There, rig.HereAddr, rig.ThereAddr, time.Millisecond)
	waited, killed := b.Waited(), time.Now()
	a.Kill()
	for _, port := range names(2) {
		nstest.Command(t, a.Here, "tc", "filter", "del", "dev", port, "ingress", "pref", answerPref(t, a, port))
	}
	b.WaitFor(func(s agg.Status) bool { return s.Carrying == 0 }, "the partner to give the orphan up")
	late := max(0, b.Waited()-waited) + s.Stop().LongestPause
	for _, port := range names(2) {
		all := words(heard[port])
		took := gaveUp(t, said[port], killed).Sub(all[len(all)-1].at)
		t.Logf("%s: the partner gave up %v after the last word; the machine had no time for %v", port, took, late)
		if took < partnersTime-clockError || took > partnersTime+time.Second+late {
			t.Errorf("%s: the partner gave up %v after the last word, not %v; its log:\n%s", port, took, partnersTime, b.Log)
		}
	}
}

const (
	// partnersTime is how long a fast partner waits for the next word.
	partnersTime = 3 * time.Second
	// clockError is what the clock of captures, which is set now and then, may be wrong by.
	clockError = 20 * time.Millisecond
)

// gaveUp is when the partner first said after the moment that it does not distribute.
func gaveUp(t *testing.T, said *nstest.Capture, after time.Time) (at time.Time) {
	t.Helper()
	nstest.Eventually(t, 10*time.Second, func() bool {
		for _, w := range words(said) {
			if w.at.After(after) && !w.Actor.State.Has(slow.Distributing) {
				at = w.at
				return true
			}
		}
		return false
	}, "the partner to say that it gave up")
	return at
}

// captures are of what a host receives on each of two ports.
func captures(n *nstest.NS) map[string]*nstest.Capture {
	out := map[string]*nstest.Capture{}
	for _, port := range names(2) {
		out[port] = n.Capture(port)
	}
	return out
}

// word is a LACPDU that came out of a cable, and when.
type word struct {
	at time.Time
	slow.LACPDU
}

func words(c *nstest.Capture) (out []word) {
	for _, f := range c.Frames() {
		env, err := slow.Parse(f.Bytes, slow.Addr{})
		if err != nil || env.Subtype != slow.SubtypeLACP {
			continue
		}
		if p, err := slow.ParseLACPDU(env.Payload); err == nil {
			out = append(out, word{c.Began().Add(f.At), p})
		}
	}
	return out
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

// The partner dies too: nothing leaves by the ports later than four seconds after its
// silence began, by the times at which frames came out of the cables.
func TestOrphanDoesNotSendToTheDead(t *testing.T) {
	a, b := newPair(t, "ebpf", 2, "lacp_rate=fast")
	settle(t, a, b)
	heard := captures(b.Here)
	s := nstest.StartUDP(t, a.Here, a.There, rig.HereAddr, rig.ThereAddr, time.Millisecond)
	s.WaitReceived(100)
	a.Kill()
	heal := []func(){deafen(t, a, "eth1"), deafen(t, a, "eth2")}
	rig.Held(t, s, time.Now().Add(4*time.Second), heard["eth1"], heard["eth2"])
	for _, f := range heal {
		f()
	}
	a.Start()
	a.WaitCarrying(2)
	s.WaitReceived(100)
	s.Stop()
}
