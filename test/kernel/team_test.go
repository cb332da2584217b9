package kernel

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

// interval is the time between datagrams of a stream of 1,000 a second, some how many
// must have arrived before the next thing happens.
const (
	interval = time.Millisecond
	some     = 300
)

// Where the kernel has the team driver, plane=auto is it: an aggregate comes up, fails
// over, forwards without a daemon, is adopted under a stream, and leaves the ports as
// they were.
func TestTeam(t *testing.T) {
	for _, mode := range []string{"active-backup", "balance-xor"} {
		t.Run(mode, func(t *testing.T) {
			r := rig.New(t, "team")
			before := ports(r)
			r.Start()
			r.Up("br0", "mode="+mode, "eth1", "eth2")
			if s := r.Status(); s.Plane != "team" {
				t.Fatalf("plane=auto is %s", s.Plane)
			}
			carrying := 2
			if mode == "active-backup" {
				carrying = 1
			}
			r.WaitCarrying(carrying)
			killed(r, carrying)
			pulls(r)
			r.Must("down", "bond0")
			if r.Here.Has("bond0") {
				t.Error("the device is still there")
			}
			if after := ports(r); after != before {
				t.Errorf("after down:\n%s\nbefore up:\n%s", after, before)
			}
		})
	}
}

// pulls takes either cable out and puts it back; the other carries.
func pulls(r *rig.Rig) {
	r.T.Helper()
	for i, far := range []string{"far1", "far2"} {
		r.There.SetDown(far)
		r.WaitFor(func(s agg.Status) bool { return s.Plan.InForce && !s.Ports[i].Carrying && s.Ports[1-i].Carrying }, "the other port to carry")
		r.Here.MustPing(rig.ThereAddr)
		r.There.SetUp(far)
		r.WaitFor(func(s agg.Status) bool { return s.Plan.InForce && len(s.Plan.Order) == 2 }, "both ports to be in use")
		nstest.Eventually(r.T, 10*time.Second, func() bool {
			return strings.Contains(nstest.Command(r.T, r.There, "bridge", "link", "show", "dev", far), "state forwarding")
		}, "the bridge to forward from %s", far)
	}
	r.Here.MustPing(rig.ThereAddr)
}

// killed kills the daemon under a stream, and starts another that adopts.
func killed(r *rig.Rig, carrying int) {
	r.T.Helper()
	before := r.Status()
	stream := nstest.StartUDP(r.T, r.Here, r.There, rig.HereAddr, rig.ThereAddr, interval)
	stream.WaitReceived(some)
	r.Kill()
	stream.WaitReceived(some)
	if out := r.Must("status", "bond0"); !strings.Contains(out, before.Plane) {
		r.T.Errorf("status without a daemon:\n%s", out)
	}
	r.Start()
	r.WaitCarrying(carrying)
	stream.WaitReceived(some)
	complete(r.T, "kill -9 and adoption on plane "+before.Plane, stream.Stop())
	if after := r.Status(); after.Plane != before.Plane || after.Device.Index != before.Device.Index {
		r.T.Errorf("adopted plane %s with device %d, was %s with %d", after.Plane, after.Device.Index, before.Plane, before.Device.Index)
	}
}

// complete fails the test where a stream lost or doubled a frame. In the virtual machine a
// sender that catches up changes its processor, and two backlog queues reorder its frames.
func complete(t *testing.T, what string, got nstest.Result) {
	t.Helper()
	t.Logf("%s: %d sent, %d lost, %d in another order, longest gap %v", what, got.Sent, got.Lost, got.Reordered, got.LongestGap)
	if got.Lost != 0 || got.Duplicated != 0 {
		t.Errorf("%s: %+v; softnet: %s", what, got, rig.Softnet())
	}
}

// ports describes the ports, without their counters.
func ports(r *rig.Rig) (text string) {
	r.T.Helper()
	for _, port := range []string{"eth1", "eth2"} {
		text += nstest.Command(r.T, r.Here, "ip", "-d", "link", "show", "dev", port)
		text += nstest.Command(r.T, r.Here, "ip", "addr", "show", "dev", port)
	}
	return text
}
