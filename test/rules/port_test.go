package rules

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

func portNames(s agg.Status) (names []string) {
	for _, p := range s.Ports {
		names = append(names, p.Name)
	}
	return names
}

func waitPorts(r *rig.Rig, want ...string) agg.Status {
	r.T.Helper()
	return r.WaitFor(func(s agg.Status) bool { return slices.Equal(portNames(s), want) }, "the ports "+strings.Join(want, ", "))
}

// A port that somebody gives another master is a port no more, and is as it was before,
// but for what is the master's.
func TestPortOfAnotherMasterLeaves(t *testing.T) {
	each(t, func(t *testing.T, r *rig.Rig) {
		shared := r.Here.MAC("bond0").String()
		r.Must("set", "bond0", "mtu=1400")
		nstest.Command(t, r.Here, "ip", "link", "add", "br9", "type", "bridge")
		ipLink(r, "eth2", "master", "br9")
		waitPorts(r, "eth1")
		waitEvent(r, "eth2 was made a port of br9; it leaves bond0")
		nstest.Eventually(t, 10*time.Second, func() bool {
			l := r.Here.Link("eth2").Attrs()
			return l.HardwareAddr.String() != shared && l.MTU == 1500
		}, "eth2 to have its own address and MTU again")
		if l := r.Here.Link("eth2").Attrs(); l.MasterIndex != r.Here.Index("br9") {
			t.Errorf("eth2 is taken out of the bridge again")
		}
		r.WaitCarrying(1)
		ipLink(r, "eth2", "nomaster")
		r.Must("add", "bond0", "eth2")
		r.WaitCarrying(2)
	})
}

func TestPortMovedAwayLeaves(t *testing.T) {
	each(t, func(t *testing.T, r *rig.Rig) {
		other := heldByProcess(t)
		link := r.Here.Link("eth2")
		shared := r.Here.MAC("bond0").String()
		if err := r.Here.Handle().LinkSetNsFd(link, other.FD()); err != nil {
			t.Fatal(err)
		}
		waitPorts(r, "eth1")
		waitEvent(r, "eth2 was moved to another network namespace; it leaves bond0")
		nstest.Eventually(t, 10*time.Second, func() bool { return other.MAC("eth2").String() != shared }, "eth2 to have its own address there; log:\n%s", r.Log)
		if err := other.Handle().LinkSetNsFd(other.Link("eth2"), r.Here.FD()); err != nil {
			t.Fatal(err)
		}
		nstest.Eventually(t, 10*time.Second, func() bool { return r.Here.Has("eth2") }, "eth2 to be back")
		r.Must("add", "bond0", "eth2")
		r.WaitCarrying(2)
		r.Must("down", "bond0")
	})
}

// heldByProcess is a namespace that others find by a process in it.
func heldByProcess(t *testing.T) *nstest.NS {
	t.Helper()
	n := nstest.New(t)
	n.Start(exec.Command("sleep", "600"))
	return n
}

// Status says where the device went, and the command that shows it there.
func TestStatusNamesWhereTheDeviceIs(t *testing.T) {
	r := rig.New(t, "bpf")
	r.Start()
	r.Up("br0", "eth1", "eth2")
	other := heldByProcess(t)
	if err := r.Here.Handle().LinkSetNsFd(r.Here.Link("bond0"), other.FD()); err != nil {
		t.Fatal(err)
	}
	r.WaitFor(func(s agg.Status) bool { return s.Device.Elsewhere }, "the device to be elsewhere")
	out := r.Must("status", "bond0")
	if !strings.Contains(out, "the device bond0 is in the network namespace of process ") || !strings.Contains(out, "(sleep); its ports are here") || !strings.Contains(out, "`nsenter -t ") {
		t.Errorf("status:\n%s", out)
	}
}

func TestDeletedPortRejoins(t *testing.T) {
	each(t, func(t *testing.T, r *rig.Rig) {
		r.Here.Delete("eth2")
		// A device that is deleted loses its carrier first.
		r.WaitFor(func(s agg.Status) bool { return s.Carrying == 1 && s.Ports[1].Reason == "absent" }, "one port, and the other to be absent")
		r.Here.Veth("eth2", r.There, "again2")
		r.WaitCarrying(2)
		if got := r.Here.MAC("eth2").String(); got != r.Here.MAC("bond0").String() {
			t.Errorf("eth2 has %s", got)
		}
	})
}

func TestRenamedPortIsFollowed(t *testing.T) {
	each(t, func(t *testing.T, r *rig.Rig) {
		own := ""
		before := r.Status()
		ipLink(r, "eth2", "name", "lan2")
		s := waitPorts(r, "eth1", "lan2")
		if s.Carrying != 2 {
			t.Errorf("%d carry after a rename", s.Carrying)
		}
		if got, want := s.Plan.Shares["lan2"], before.Plan.Shares["eth2"]; got != want {
			t.Errorf("lan2 has %d entries, eth2 had %d", got, want)
		}
		waitEvent(r, "eth2 was renamed to lan2")
		r.Must("remove", "bond0", "lan2")
		if own = r.Here.MAC("lan2").String(); own == r.Here.MAC("bond0").String() {
			t.Errorf("lan2 keeps the address of bond0")
		}
		r.Must("add", "bond0", "lan2")
		r.WaitCarrying(2)
		// Also where nobody looked.
		r.Kill()
		ipLink(r, "lan2", "name", "wan2")
		r.Start()
		waitPorts(r, "eth1", "wan2")
		r.WaitCarrying(2)
		r.Must("down", "bond0")
		if got := r.Here.MAC("wan2").String(); got != own {
			t.Errorf("wan2 has %s, and had %s", got, own)
		}
	})
}
