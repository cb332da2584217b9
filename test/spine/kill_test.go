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
)

// tenThousand is the time between datagrams of a stream of 10,000 a second.
const tenThousand = 100 * time.Microsecond

// some is how many datagrams must have arrived before the next thing happens.
const some = 2000

// settles keeps a port whose cable is back out of use until the peer is ready too: its
// end has carrier a moment before the bridge there takes frames from it.
const settles = "updelay=200ms"

// The daemon is killed in the middle of a stream, a cable is pulled while it is dead, a
// new daemon adopts, and the next pull fails over as usual. Nothing of the stream to the
// peer is lost at any of these but what a pull finds on the cable. The stream from the
// peer goes by the switch, which a pulled cable surprises; so it runs only where no cable
// is touched.
func TestKillPullAdopt(t *testing.T) {
	for _, mode := range []string{"active-backup", "balance-xor"} {
		t.Run(mode, func(t *testing.T) {
			r := newRig(t, "bpf")
			r.start()
			r.up("br0", "plane=ebpf", "mode="+mode, settles, "eth1", "eth2")
			r.killed()
			r.pulledWhileDead()
			r.adopted()
			r.must("down", "bond0")
		})
	}
}

// killed kills the daemon during streams both ways, and starts another.
func (r *rig) killed() {
	r.t.Helper()
	out := nstest.StartUDP(r.t, r.here, r.there, hereAddr, thereAddr, tenThousand)
	in := nstest.StartUDP(r.t, r.there, r.here, thereAddr, hereAddr, tenThousand)
	both := func() {
		out.WaitReceived(some)
		in.WaitReceived(some)
	}
	both()
	r.kill()
	both()
	before := r.table()
	r.start()
	r.waitCarrying(r.carriers(2))
	both()
	lossless(r.t, "kill -9 and adoption, to the peer", out.Stop())
	lossless(r.t, "kill -9 and adoption, from the peer", in.Stop())
	if after := r.table(); !bytes.Equal(before, after) {
		r.t.Errorf("the table changed over the adoption:\n%x\n%x", before, after)
	}
}

// carriers is how many ports carry traffic where n could.
func (r *rig) carriers(n int) int {
	if r.status().Mode == "active-backup" {
		return min(n, 1)
	}
	return n
}

// pulledWhileDead pulls a cable while nobody is there to notice, under a stream to the
// peer. Then a daemon comes, and the cable after it.
func (r *rig) pulledWhileDead() {
	r.t.Helper()
	s := r.status()
	if !s.Capability.Guard {
		r.t.Log("no guard on this kernel: a cable pulled while the daemon is dead is not survived")
		return
	}
	stream := nstest.StartUDP(r.t, r.here, r.there, hereAddr, thereAddr, tenThousand)
	stream.WaitReceived(some)
	r.kill()
	r.there.SetDown("far1")
	stream.WaitReceived(some)
	r.start()
	now := r.waitFor(func(s agg.Status) bool { return s.Plan.InForce && !s.Ports[0].Carrying && s.Ports[1].Carrying }, "eth2 alone to carry")
	if now.Plan.Generation <= s.Plan.Generation {
		r.t.Errorf("plan %d came after plan %d", now.Plan.Generation, s.Plan.Generation)
	}
	stream.WaitReceived(some)
	r.overPulls("a cable pulled while the daemon is dead, to the peer", stream.Stop())
	r.there.SetUp("far1")
	r.waitFor(func(s agg.Status) bool { return s.Plan.InForce && len(s.Plan.Order) == 2 }, "both ports to be in use")
}

// adopted pulls cables under the daemon that adopted.
func (r *rig) adopted() {
	r.t.Helper()
	stream := nstest.StartUDP(r.t, r.here, r.there, hereAddr, thereAddr, tenThousand)
	for far, port := range map[string]int{"far1": 0, "far2": 1} {
		stream.WaitReceived(some)
		r.there.SetDown(far)
		r.waitFor(func(s agg.Status) bool {
			return s.Plan.InForce && !s.Ports[port].Carrying && s.Ports[1-port].Carrying
		}, "traffic to leave the port of "+far)
		stream.WaitReceived(some)
		r.there.SetUp(far)
		r.waitFor(func(s agg.Status) bool { return s.Plan.InForce && len(s.Plan.Order) == 2 }, "both ports to be in use")
	}
	r.overPulls("pulls under the daemon that adopted, to the peer", stream.Stop())
}

// overPulls fails the test where a stream over pulled cables lost a frame that was not
// on the cable already. A far end that is set down stops receiving a moment before this
// end loses its carrier; what arrives there in between it drops, and counts.
func (r *rig) overPulls(what string, got nstest.Result) {
	r.t.Helper()
	onCable := r.droppedFar()
	r.t.Logf("%s: %d sent, %d lost, %d of them on the cable, longest gap %v", what, got.Sent, got.Lost, onCable, got.LongestGap)
	if got.Lost > onCable || got.Duplicated != 0 || got.Reordered != 0 {
		r.t.Errorf("%s: got %+v, and the far ends dropped %d; softnet: %s", what, got, onCable, softnet())
	}
}

// droppedFar is how many frames the far ends of the cables dropped since they were made.
func (r *rig) droppedFar() uint64 {
	r.t.Helper()
	var n uint64
	for _, name := range []string{"far1", "far2"} {
		n += r.there.Link(name).Attrs().Statistics.RxDropped
	}
	return n
}

// A table of weights and a port that is away is adopted as it was, bit for bit, and
// generations continue.
func TestTableIsAdopted(t *testing.T) {
	r := newRig(t, "bpf")
	r.start()
	r.up("br0", "plane=ebpf", "mode=balance-xor", "eth1,weight=5", "eth2,weight=2")
	for _, far := range []string{"", "far2"} {
		if far != "" {
			r.there.SetDown(far)
			r.waitCarrying(1)
		}
		before, table := r.status(), r.table()
		r.kill()
		dead := r.table()
		r.start()
		after := r.waitFor(func(s agg.Status) bool { return s.Plan.InForce }, "the plan to be in force")
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
	r.must("down", "bond0")
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
			r := newRig(t, "bpf")
			r.start()
			r.up("br0", "plane=ebpf", "mode=balance-xor", settles, "eth1", "eth2")
			stream := nstest.StartUDP(t, r.here, r.there, hereAddr, thereAddr, tenThousand)
			stream.WaitReceived(some)
			table := r.table()
			r.kill()
			r.startBy("unshare", "-m", "--propagation", "private", "sh", "-c", words, "sh")
			if name == ownSys && !hostReachable() {
				r.refusedHidden()
			} else {
				r.pulledInMounts(stream)
			}
			r.kill() // the mount namespace ends with it, and forwarding must not
			stream.WaitReceived(some)
			r.start()
			r.waitCarrying(2)
			stream.WaitReceived(some)
			r.overPulls("adopted into a mount namespace and out of it", stream.Stop())
			if !bytes.Equal(table, r.table()) {
				t.Error("the table is another")
			}
			r.must("down", "bond0")
			if _, err := os.Stat(r.pinDir()); err == nil {
				t.Errorf("%s is left", r.pinDir())
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
func (r *rig) refusedHidden() {
	r.t.Helper()
	r.t.Log("the first process of the machine cannot be looked at, so the host's pins are out of reach: the daemon must refuse")
	nstest.Eventually(r.t, 20*time.Second, func() bool {
		return strings.Contains(r.log.String(), "is no bpf file system here")
	}, "the daemon to say what it misses; its log:\n%s", r.log)
	if out, err := r.yoke("status", "bond0"); err == nil {
		r.t.Errorf("the daemon has bond0:\n%s", out)
	}
}

// pulledInMounts pulls a cable under a daemon that adopted in mounts of its own.
func (r *rig) pulledInMounts(stream *nstest.Stream) {
	r.t.Helper()
	if s := r.waitFor(func(s agg.Status) bool { return s.Plan.InForce }, "the plan to be in force"); s.Plane != "ebpf" {
		r.t.Errorf("adopted on plane %s", s.Plane)
	}
	stream.WaitReceived(some)
	r.there.SetDown("far1")
	r.waitCarrying(1)
	stream.WaitReceived(some)
	r.there.SetUp("far1")
	r.waitCarrying(2)
}

// Where the table is in a plan, in bytes, by plane/ebpf/bpf/layout.h.
const (
	tableAt  = 24
	tableEnd = tableAt + 2*agg.NumBuckets
)

// table reads the table of the plan in force from the pinned maps, as bytes.
func (r *rig) table() []byte {
	r.t.Helper()
	var slot uint32
	r.lookup("yoke_current", uint32(0), &slot)
	var plan []byte
	r.lookup("yoke_plans", slot, &plan)
	table := plan[tableAt:tableEnd]
	for _, place := range table {
		if place > 1 && place != 255 { // two ports, or none
			r.t.Fatalf("this is no table of two ports; the layout is another now: %x", table)
		}
	}
	return table
}

func (r *rig) lookup(name string, key, value any) {
	r.t.Helper()
	m, err := ebpf.LoadPinnedMap(filepath.Join(r.pinDir(), name), &ebpf.LoadPinOptions{ReadOnly: true})
	if err != nil {
		r.t.Fatal(err)
	}
	defer m.Close()
	if into, ok := value.(*[]byte); ok {
		*into, err = m.LookupBytes(key)
	} else {
		err = m.Lookup(key, value)
	}
	if err != nil {
		r.t.Fatalf("%s: %v", name, err)
	}
}

// While a daemon holds its state and does not answer yet, status waits for it.
func TestStatusWaitsForAStartingDaemon(t *testing.T) {
	r := newRig(t)
	r.start()
	r.must("up", "bond0", "plane=user", "eth1", "eth2")
	r.kill()
	lock, err := os.OpenFile(filepath.Join(r.dir, "yoked.lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	answer := make(chan string, 1)
	go func() {
		out, err := r.yoke("status")
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
	r.start()
	if out := <-answer; !strings.HasPrefix(out, "bond0: ") {
		t.Errorf("status says %s", out)
	}
}
