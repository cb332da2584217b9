package rules

import (
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// waitPromisc waits until exactly these of the ports hear all.
func waitPromisc(r *rig.Rig, want ...string) {
	r.T.Helper()
	nstest.Eventually(r.T, 10*time.Second, func() bool {
		var got []string
		for _, name := range []string{"eth1", "eth2"} {
			if r.Here.Link(name).Attrs().RawFlags&unix.IFF_PROMISC != 0 {
				got = append(got, name)
			}
		}
		return slices.Equal(got, want)
	}, "promiscuous ports to be %v; log:\n%s", want, r.Log)
}

// Whoever wants to hear all by the device hears all that its ports can.
func TestPromiscuity(t *testing.T) {
	each(t, func(t *testing.T, r *rig.Rig) {
		ipLink(r, "bond0", "promisc", "on")
		waitPromisc(r, "eth1", "eth2")
		ipLink(r, "bond0", "promisc", "off")
		waitPromisc(r)
		nstest.Command(t, r.Here, "ip", "link", "add", "br9", "type", "bridge")
		ipLink(r, "bond0", "master", "br9")
		waitPromisc(r, "eth1", "eth2")
		plane := r.Status().Plane
		r.Must("down", "bond0")
		waitPromisc(r)
		r.Must("up", "bond0", "plane="+plane, "mode=active-backup", "primary=eth1", "eth1", "eth2")
		ipLink(r, "bond0", "promisc", "on")
		r.WaitActive("eth1")
		waitPromisc(r, "eth1")
		r.Must("set", "bond0", "primary=eth2")
		r.WaitActive("eth2")
		waitPromisc(r, "eth2")
		r.Must("down", "bond0")
		waitPromisc(r)
	})
}

// Nothing passes an aggregate that is set down, though its ports stay up.
func TestNothingPassesWhileDown(t *testing.T) {
	each(t, func(t *testing.T, r *rig.Rig) {
		r.Here.MustPing(thereAddr)
		ipLink(r, "bond0", "down")
		r.WaitFor(func(s agg.Status) bool { return s.Carrying == 0 }, "the ports to carry nothing")
		capture := r.Here.Capture("bond0")
		if err := r.There.Ping(rig.HereAddr, 300*time.Millisecond); err == nil {
			t.Error("bond0 answers")
		}
		if n := len(capture.Frames()); n > 0 {
			t.Errorf("%d frames came to bond0", n)
		}
		ipLink(r, "bond0", "up")
		r.WaitCarrying(2)
		r.Here.MustPing(thereAddr)
	})
}

// The device goes to another namespace, carries there, and comes back.
func TestDeviceMovesAndReturns(t *testing.T) {
	each(t, func(t *testing.T, r *rig.Rig) {
		other := nstest.New(t)
		if err := r.Here.Handle().LinkSetNsFd(r.Here.Link("bond0"), other.FD()); err != nil {
			t.Fatal(err)
		}
		waitEvent(r, "bond0 was moved to another network namespace")
		other.AddAddr("bond0", rig.HereAddr+"/24")
		other.SetUp("bond0")
		r.WaitCarrying(2)
		other.MustPing(thereAddr)
		if err := other.Handle().LinkSetNsFd(other.Link("bond0"), r.Here.FD()); err != nil {
			t.Fatal(err)
		}
		waitEvent(r, "bond0 is back")
		r.Here.AddAddr("bond0", rig.HereAddr+"/24")
		r.Here.SetUp("bond0")
		r.WaitCarrying(2)
		r.Here.MustPing(thereAddr)
	})
}
