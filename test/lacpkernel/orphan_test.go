package lacpkernel

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// orphaned is how long a daemon is dead: longer than the three seconds for which a fast
// partner waits, and a minute where the environment asks for the full form.
func orphaned() time.Duration {
	if full() {
		return time.Minute
	}
	return 5 * time.Second
}

// rates are how many datagrams a second are tried, the first being what is asked for. An
// emulated machine with other work may not manage that many.
func rates() []int {
	rates := []int{5000, 2000, 1000, 500}
	if full() {
		return append([]int{10000}, rates...)
	}
	return rates
}

// stream is the fastest of the rates that the machine keeps up with while all is well.
func stream(r *rig.Rig) *nstest.Stream {
	r.T.Helper()
	start := func(n int) *nstest.Stream {
		s := nstest.StartUDP(r.T, r.Here, r.There, rig.HereAddr, rig.ThereAddr, time.Second/time.Duration(n))
		s.WaitReceived(n / 10)
		return s
	}
	for _, n := range rates() {
		s := start(n)
		manages := halfASecond(s, n)
		s.Stop()
		if manages || n == rates()[len(rates())-1] {
			r.T.Logf("%d frames a second", n)
			return start(n)
		}
	}
	return nil
}

// halfASecond reports whether what a stream of n a second sends in half a second arrives
// in little more.
func halfASecond(s *nstest.Stream, n int) bool {
	enough := s.Received() + uint64(n/2)
	for end := time.Now().Add(600 * time.Millisecond); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if s.Received() >= enough {
			return true
		}
	}
	return false
}

// witness watches a partner for changes of what it says, far more often than its machines
// step, which is every 100 ms.
type witness struct {
	stop, done chan struct{}
	mu         sync.Mutex
	saw        []string
}

func watch(r *rig.Rig, p partner) *witness {
	r.T.Helper()
	w := &witness{stop: make(chan struct{}), done: make(chan struct{})}
	before, err := p.ports()
	if err != nil {
		r.T.Fatal(err)
	}
	began := time.Now()
	go func() {
		defer close(w.done)
		for last := fmt.Sprint(before); ; {
			select {
			case <-w.stop:
				return
			case <-time.After(25 * time.Millisecond):
			}
			views, err := p.ports()
			if now := fmt.Sprint(views, err); now != last+" <nil>" {
				w.mu.Lock()
				w.saw = append(w.saw, fmt.Sprintf("after %v: %s", time.Since(began).Round(time.Millisecond), now))
				w.mu.Unlock()
				last = strings.TrimSuffix(now, " <nil>")
			}
		}
	}()
	return w
}

// soFar is what it saw.
func (w *witness) soFar() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.saw, "\n")
}

func (w *witness) end() string {
	close(w.stop)
	<-w.done
	return w.soFar()
}

// A daemon is killed under a stream of 5,000 frames a second, in the full form of 10,000,
// and comes back long after the partner, who is fast, would have given it up: the partner
// sees no change at all, and no frame is lost. Then it is killed again and comes back at once.
func TestPartnerDoesNotNoticeAnOrphan(t *testing.T) {
	planes := []string{"team"}
	if full() { // test/lacp has plane ebpf every day, with Open vSwitch
		planes = append(planes, "ebpf")
	}
	for _, plane := range planes {
		t.Run(plane, func(t *testing.T) {
			r, p := joined(t, fast(plane), "bonding")
			// An emulated machine with other work takes most of a minute to start a daemon,
			// which has been dead for a minute then: more than the default allows.
			r.Must("set", "bond0", "max_orphan_time=10m")
			stream := stream(r)
			w := watch(r, p)
			for _, dead := range []time.Duration{orphaned(), 0} {
				r.Kill()
				received := stream.Received()
				time.Sleep(dead)
				if saw := w.soFar(); saw != "" {
					t.Fatalf("while no daemon was there the partner saw:\n%s\nlog of yoked:\n%s", saw, r.Log)
				}
				r.Start()
				carries(r, p, 2)
				if stream.Received() <= received {
					t.Error("nothing passed while no daemon was there")
				}
			}
			time.Sleep(3500 * time.Millisecond) // what the partner would notice late
			if saw := w.end(); saw != "" {
				t.Errorf("when the daemon was back the partner saw:\n%s\nlog of yoked:\n%s", saw, r.Log)
			}
			waitAgreed(r, p)
			lossless(r, stream.Stop())
		})
	}
}

// joined is a host whose two ports are agreed on with the partner.
func joined(t *testing.T, s settings, kind string) (*rig.Rig, partner) {
	t.Helper()
	k := partners()[kind]
	r := host(t, s.plane, k.needs...)
	p := k.make(r, s)
	meet(r, p, s)
	carries(r, p, 2)
	waitAgreed(r, p)
	neighbours(r, p)
	return r, p
}

// neighbours tells both ends where the other is: a question that a busy machine answers late
// would cost frames that no aggregate lost.
func neighbours(r *rig.Rig, p partner) {
	r.T.Helper()
	nstest.Command(r.T, r.Here, "ip", "neigh", "replace", rig.ThereAddr, "lladdr", r.There.MAC(p.device()).String(), "dev", "bond0")
	nstest.Command(r.T, r.There, "ip", "neigh", "replace", rig.HereAddr, "lladdr", r.Here.MAC("bond0").String(), "dev", p.device())
}

// lossless is the stream's judge. Order is not its matter: a veth turns frames round where
// their sender moves to another processor. Neither is what the socket had no room for,
// because the machine gave its reader no time.
func lossless(r *rig.Rig, got nstest.Result) {
	r.T.Helper()
	late := overflowed(r)
	r.T.Logf("%d sent, %d lost, longest gap %v; %d came, and were not read in time", got.Sent, got.Lost, got.LongestGap, late)
	if got.Lost > late || got.Duplicated != 0 {
		r.T.Errorf("got %+v; softnet: %s; log of yoked:\n%s", got, rig.Softnet(), r.Log)
	}
}

// overflowed is how many datagrams the partner's host had no room for in a socket.
func overflowed(r *rig.Rig) uint64 {
	r.T.Helper()
	var text []byte
	if err := r.There.Run(func() (err error) {
		text, err = os.ReadFile("/proc/thread-self/net/snmp")
		return err
	}); err != nil {
		r.T.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if words[0] != "Udp:" {
			continue
		}
		if names == nil {
			names = words
			continue
		}
		n, err := strconv.ParseUint(words[slices.Index(names, "RcvbufErrors")], 10, 64)
		if err != nil {
			r.T.Fatal(err)
		}
		return n
	}
	r.T.Fatalf("no counters of UDP in:\n%s", text)
	return 0
}

// The same without what speaks for the daemon: the partner leaves the ports when its three
// seconds are over, so the test above would notice.
func TestPartnerNoticesAnOrphanThatSaysNothing(t *testing.T) {
	planes := []string{"team"}
	if full() {
		planes = append(planes, "ebpf")
	}
	for _, plane := range planes {
		t.Run(plane, func(t *testing.T) {
			t.Parallel()
			r, p := joined(t, fast(plane), "bonding")
			r.Kill()
			for _, port := range cables() {
				mute(r, port)
			}
			began := time.Now()
			waitUsed(r, p, 0)
			t.Logf("the partner left the ports after %v", time.Since(began).Round(time.Millisecond))
			r.Start()
			carries(r, p, 2)
		})
	}
}

// mute takes the filter away that answers on a port for a dead daemon.
func mute(r *rig.Rig, port string) {
	r.T.Helper()
	for line := range strings.Lines(nstest.Command(r.T, r.Here, "tc", "filter", "show", "dev", port, "ingress")) {
		words := strings.Fields(line)
		for i, w := range words {
			if w == "pref" && strings.Contains(line, "yoke-answer") {
				nstest.Command(r.T, r.Here, "tc", "filter", "del", "dev", port, "ingress", "pref", words[i+1])
				return
			}
		}
	}
	r.T.Fatalf("nothing answers on %s", port)
}

// While nobody is there the partner falls silent, and four seconds later our frames leave the
// port no more.
func TestOrphanDoesNotSendToASilentPartner(t *testing.T) {
	t.Parallel()
	r, _ := joined(t, fast("team"), "bonding")
	heard := []*nstest.Capture{r.There.Capture("eth1"), r.There.Capture("eth2")}
	stream := nstest.StartUDP(t, r.Here, r.There, rig.HereAddr, rig.ThereAddr, time.Millisecond)
	stream.WaitReceived(100)
	r.Kill()
	for _, port := range cables() {
		nstest.Command(t, r.Here, "tc", "filter", "add", "dev", port, "ingress", "pref", "1", "bpf", "da", "bytecode", "1,6 0 0 2")
	}
	rig.Held(t, stream, time.Now().Add(4*time.Second), heard...)
	stream.Stop()
	for _, port := range cables() {
		nstest.Command(t, r.Here, "tc", "filter", "del", "dev", port, "ingress", "pref", "1")
	}
	r.Start()
	waitFor(r, func(s agg.Status) bool { return s.Carrying == 2 }, "the ports to come back")
}
