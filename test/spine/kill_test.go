package spine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// tenThousand is the time between datagrams of a stream of 10,000 a second.
const tenThousand = 100 * time.Microsecond

// some is how many datagrams must have arrived before the next thing happens.
const some = 2000

// settles keeps a port whose cable is back out of use until the peer is ready too: its
// end has carrier a moment before the bridge there takes frames from it.
const settles = "updelay=500ms"

// The daemon is killed in the middle of a stream, a cable is pulled while it is dead, a
// new daemon adopts, and the next pull fails over as usual. Nothing of the stream to the
// peer is lost at any of these but what a pull finds on the cable. The stream from the
// peer goes by the switch, which a pulled cable surprises; so it runs only where no cable
// is touched.
func TestKillPullAdopt(t *testing.T) {
	for _, mode := range []string{"active-backup", "balance-xor"} {
		t.Run(mode, func(t *testing.T) {
			r := newHost(t, "bpf")
			r.Start()
			r.Up("br0", "plane=ebpf", "mode="+mode, settles, "eth1", "eth2")
			r.killed()
			r.pulledWhileDead()
			r.adopted()
			r.Must("down", "bond0")
		})
	}
}

// waiting is what the event says of buckets that are left where they were.
const waiting = "until the traffic pauses"

// settle waits until all ports carry and no buckets are left where they were because traffic
// has not paused.
func (r *host) settle() {
	r.T.Helper()
	r.WaitCarrying(r.carriers(2))
	nstest.Eventually(r.T, 10*time.Second, func() bool {
		events := r.Must("events", "bond0")
		return strings.Count(events, waiting) == strings.Count(events, "has moved after")
	}, "the traffic to have moved")
}

// killed kills the daemon during streams both ways, and starts another.
func (r *host) killed() {
	r.T.Helper()
	r.settle()
	out := nstest.StartUDP(r.T, r.Here, r.There, rig.HereAddr, rig.ThereAddr, tenThousand)
	in := nstest.StartUDP(r.T, r.There, r.Here, rig.ThereAddr, rig.HereAddr, tenThousand)
	both := func() {
		out.WaitReceived(some)
		in.WaitReceived(some)
	}
	both()
	r.Kill()
	both()
	before := r.table()
	r.Start()
	r.WaitCarrying(r.carriers(2))
	both()
	rig.Lossless(r.T, "kill -9 and adoption, to the peer", out.Stop())
	rig.Lossless(r.T, "kill -9 and adoption, from the peer", in.Stop())
	if after := r.table(); !bytes.Equal(before, after) {
		r.T.Errorf("the table changed over the adoption:\n%x\n%x", before, after)
	}
}

// carriers is how many ports carry traffic where n could.
func (r *host) carriers(n int) int {
	if r.Status().Mode == "active-backup" {
		return min(n, 1)
	}
	return n
}

// pulledWhileDead pulls a cable while nobody is there to notice, under a stream to the
// peer. Then a daemon comes, and the cable after it.
func (r *host) pulledWhileDead() {
	r.T.Helper()
	s := r.Status()
	if !s.Capability.Guard {
		r.T.Log("no guard on this kernel: a cable pulled while the daemon is dead is not survived")
		return
	}
	stream := nstest.StartUDP(r.T, r.Here, r.There, rig.HereAddr, rig.ThereAddr, tenThousand)
	stream.WaitReceived(some)
	r.Kill()
	r.There.SetDown("far1")
	stream.WaitReceived(some)
	r.Start()
	now := r.WaitFor(func(s agg.Status) bool { return s.Plan.InForce && !s.Ports[0].Carrying && s.Ports[1].Carrying }, "eth2 alone to carry")
	if now.Plan.Generation <= s.Plan.Generation {
		r.T.Errorf("plan %d came after plan %d", now.Plan.Generation, s.Plan.Generation)
	}
	stream.WaitReceived(some)
	r.overPulls("a cable pulled while the daemon is dead, to the peer", 1, stream.Stop())
	r.There.SetUp("far1")
	r.WaitFor(func(s agg.Status) bool { return s.Plan.InForce && len(s.Plan.Order) == 2 }, "both ports to be in use")
}

// adopted pulls cables under the daemon that adopted.
func (r *host) adopted() {
	r.T.Helper()
	stream := nstest.StartUDP(r.T, r.Here, r.There, rig.HereAddr, rig.ThereAddr, tenThousand)
	for far, port := range map[string]int{"far1": 0, "far2": 1} {
		stream.WaitReceived(some)
		r.There.SetDown(far)
		r.WaitFor(func(s agg.Status) bool {
			return s.Plan.InForce && !s.Ports[port].Carrying && s.Ports[1-port].Carrying
		}, "traffic to leave the port of "+far)
		stream.WaitReceived(some)
		r.There.SetUp(far)
		r.WaitFor(func(s agg.Status) bool { return s.Plan.InForce && len(s.Plan.Order) == 2 }, "both ports to be in use")
	}
	r.overPulls("pulls under the daemon that adopted, to the peer", 2, stream.Stop())
}

// overPulls fails the test where a stream over pulled cables lost a frame that was not
// on the cable already. A far end that is set down stops receiving a moment before this
// end loses its carrier; what arrives there in between it drops, and counts. And where a
// processor stands still between the guard and the port, the one frame that it holds
// finds a port without a queue, which counts it: at most one a pull.
func (r *host) overPulls(what string, pulls uint64, got nstest.Result) {
	r.T.Helper()
	onCable, dropped := r.droppedFar(), r.droppedNear()
	held := min(pulls, dropped-min(dropped, onCable))
	r.T.Logf("%s: %d sent, %d lost, %d of them on the cable, up to %d held at a port, longest gap %v", what, got.Sent, got.Lost, onCable, held, got.LongestGap)
	if got.Lost > onCable+held || got.Duplicated != 0 || got.Reordered != 0 {
		r.T.Errorf("%s: got %+v, the far ends dropped %d, the ports %d; softnet: %s", what, got, onCable, dropped, rig.Softnet())
	}
}

// droppedFar is how many frames the far ends of the cables dropped since they were made.
func (r *host) droppedFar() uint64 {
	r.T.Helper()
	return r.There.Link("far1").Attrs().Statistics.RxDropped + r.There.Link("far2").Attrs().Statistics.RxDropped
}

// droppedNear is how many frames the ports did not send, of those that were given to them.
func (r *host) droppedNear() uint64 {
	r.T.Helper()
	return r.Here.Link("eth1").Attrs().Statistics.TxDropped + r.Here.Link("eth2").Attrs().Statistics.TxDropped
}

// A table of weights and a port that is away is adopted as it was, bit for bit, and
// generations continue.
func TestTableIsAdopted(t *testing.T) {
	r := newHost(t, "bpf")
	r.Start()
	r.Up("br0", "plane=ebpf", "mode=balance-xor", "eth1,weight=5", "eth2,weight=2")
	r.settle()
	for _, far := range []string{"", "far2"} {
		if far != "" {
			r.There.SetDown(far)
			r.WaitCarrying(1)
		}
		before, table := r.Status(), r.table()
		r.Kill()
		dead := r.table()
		r.Start()
		after := r.WaitFor(func(s agg.Status) bool { return s.Plan.InForce }, "the plan to be in force")
		if !bytes.Equal(table, dead) || !bytes.Equal(table, r.table()) {
			t.Errorf("with %q away the table is another:\nbefore %x\ndead   %x\nafter  %x", far, table, dead, r.table())
		}
		if after.Plan.Generation < before.Plan.Generation {
			t.Errorf("generation went from %d to %d", before.Plan.Generation, after.Plan.Generation)
		}
		if b, a := shares(t, before), shares(t, after); b != a {
			t.Errorf("shares went from %s to %s", b, a)
		}
	}
	r.Must("down", "bond0")
}

func shares(t *testing.T, s agg.Status) string {
	t.Helper()
	b, err := json.Marshal(s.Plan.Shares)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A daemon in a mount namespace of its own adopts what one outside made, and the other
// way round; forwarding does not depend on the mount namespace of either.
func TestAdoptionFromAnotherMountNamespace(t *testing.T) {
	nstest.Require(t, "program:unshare")
	for name, words := range map[string]string{
		"the host's /sys/fs/bpf":            `exec "$@"`,
		"/sys read-only around /sys/fs/bpf": `mount --rbind /sys /sys && mount -o remount,bind,ro /sys && exec "$@"`,
		"a /sys of its own":                 `mount -t sysfs sysfs /sys && exec "$@"`,
		"a /run of its own":                 `mount -t tmpfs tmpfs /run && exec "$@"`,
	} {
		t.Run(name, func(t *testing.T) {
			r := newHost(t, "bpf")
			r.Start()
			r.Up("br0", "plane=ebpf", "mode=balance-xor", settles, "eth1", "eth2")
			r.settle()
			stream := nstest.StartUDP(t, r.Here, r.There, rig.HereAddr, rig.ThereAddr, tenThousand)
			stream.WaitReceived(some)
			table := r.table()
			r.Kill()
			r.StartBy(append([]string{"unshare", "-m", "--propagation", "private", "sh", "-c", words, "sh"}, r.Command()...)...)
			if name == ownSys && !hostReachable() {
				r.refusedHidden()
			} else {
				r.pulledInMounts(stream)
			}
			r.Kill() // the mount namespace ends with it, and forwarding must not
			stream.WaitReceived(some)
			r.Start()
			r.WaitCarrying(2)
			stream.WaitReceived(some)
			r.overPulls("adopted into a mount namespace and out of it", 1, stream.Stop())
			// What a pulled cable moved waited for the stream to pause.
			nstest.Eventually(t, 10*time.Second, func() bool { return bytes.Equal(table, r.table()) }, "the table to be as it was")
			r.Must("down", "bond0")
			if _, err := os.Stat(r.PinDir()); err == nil {
				t.Errorf("%s is left", r.PinDir())
			}
		})
	}
}

// ownSys is a /sys that hides the bpf file system, as `ip netns exec` makes it.
const ownSys = "a /sys of its own"

// hostReachable reports whether the host's mounts can be seen past those of a process.
func hostReachable() bool {
	_, err := os.Stat("/proc/1/root/sys/fs/bpf")
	return err == nil
}

// refusedHidden is a daemon that cannot reach the pins: it says so, and leaves what
// forwards alone.
func (r *host) refusedHidden() {
	r.T.Helper()
	r.T.Log("the first process of the machine cannot be looked at, so the host's pins are out of reach: the daemon must refuse")
	nstest.Eventually(r.T, 20*time.Second, func() bool {
		return strings.Contains(r.Log.String(), "is no bpf file system here")
	}, "the daemon to say what it misses; its log:\n%s", r.Log)
	if out, err := r.Yoke("status", "bond0"); err != nil || !strings.Contains(out, "bond0: nobody looks after it") {
		r.T.Errorf("the daemon does not say that nobody looks after bond0: %v\n%s", err, out)
	}
}

// pulledInMounts pulls a cable under a daemon that adopted in mounts of its own.
func (r *host) pulledInMounts(stream *nstest.Stream) {
	r.T.Helper()
	if s := r.WaitFor(func(s agg.Status) bool { return s.Plan.InForce }, "the plan to be in force"); s.Plane != "ebpf" {
		r.T.Errorf("adopted on plane %s", s.Plane)
	}
	stream.WaitReceived(some)
	r.There.SetDown("far1")
	r.WaitCarrying(1)
	stream.WaitReceived(some)
	r.There.SetUp("far1")
	r.WaitCarrying(2)
}

// Where the table is in a plan, in bytes, by plane/ebpf/bpf/layout.h.
const (
	tableAt  = 24
	tableEnd = tableAt + 2*agg.NumBuckets
	// moves is added to the first of the two places of an entry that moves.
	moves = agg.MaxPorts
)

// table reads the table of the plan in force from the pinned maps, as bytes.
func (r *host) table() []byte {
	r.T.Helper()
	var slot uint32
	r.lookup("yoke_current", uint32(0), &slot)
	var plan []byte
	r.lookup("yoke_plans", slot, &plan)
	table := plan[tableAt:tableEnd]
	for i, place := range table {
		if i%2 == 0 && place >= moves && place != 255 {
			place -= moves
		}
		if place > 1 && place != 255 { // two ports, or none
			r.T.Fatalf("this is no table of two ports; the layout is another now: %x", table)
		}
	}
	return table
}

func (r *host) lookup(name string, key, value any) {
	r.T.Helper()
	m, err := ebpf.LoadPinnedMap(filepath.Join(r.PinDir(), name), &ebpf.LoadPinOptions{ReadOnly: true})
	if err != nil {
		r.T.Fatal(err)
	}
	defer m.Close()
	if into, ok := value.(*[]byte); ok {
		*into, err = m.LookupBytes(key)
	} else {
		err = m.Lookup(key, value)
	}
	if err != nil {
		r.T.Fatalf("%s: %v", name, err)
	}
}

// While a daemon holds its state and does not answer yet, status waits for it.
func TestStatusWaitsForAStartingDaemon(t *testing.T) {
	r := newHost(t)
	r.Start()
	r.Must("up", "bond0", "plane=user", "eth1", "eth2")
	r.Kill()
	lock, err := os.OpenFile(filepath.Join(r.Dir, "yoked.lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	answer := make(chan string, 1)
	go func() {
		out, err := r.Yoke("status")
		answer <- fmt.Sprint(out, err)
	}()
	select {
	case out := <-answer:
		t.Fatalf("status did not wait: %s", out)
	case <-time.After(500 * time.Millisecond):
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	r.Start()
	if out := <-answer; !strings.HasPrefix(out, "bond0: ") {
		t.Errorf("status says %s", out)
	}
}
