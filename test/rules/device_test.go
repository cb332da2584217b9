package rules

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

const thereAddr = "192.0.2.2"

// each runs a test on the planes that Yoke forwards by itself.
func each(t *testing.T, test func(t *testing.T, r *rig.Rig)) {
	for _, plane := range []string{"ebpf", "user"} {
		t.Run(plane, func(t *testing.T) {
			r := rig.New(t, "bpf")
			r.Start()
			r.Up("br0", "plane="+plane, "mode=balance-xor", "eth1", "eth2")
			r.WaitFor(func(s agg.Status) bool {
				return s.Carrying == 2 && s.Plan.InForce && s.Plan.Shares["eth1"] == s.Plan.Shares["eth2"]
			}, "both ports to have their shares")
			test(t, r)
		})
	}
}

func ipLink(r *rig.Rig, words ...string) {
	r.T.Helper()
	nstest.Command(r.T, r.Here, "ip", append([]string{"link", "set"}, words...)...)
}

func waitEvent(r *rig.Rig, text string) {
	r.T.Helper()
	nstest.Eventually(r.T, 10*time.Second, func() bool {
		return strings.Contains(r.Must("events", "bond0"), text)
	}, "the event %q; log:\n%s", text, r.Log)
}

func TestDeviceDownAndUp(t *testing.T) {
	each(t, func(t *testing.T, r *rig.Rig) {
		ipLink(r, "bond0", "down")
		s := r.WaitFor(func(s agg.Status) bool { return s.Carrying == 0 }, "the ports to carry nothing")
		if p := s.Ports[0]; p.Reason != "device-down" || !strings.Contains(p.Text, "bond0 is set down") {
			t.Errorf("%s: %s", p.Reason, p.Text)
		}
		waitEvent(r, "bond0 was set down")
		ipLink(r, "bond0", "up")
		r.WaitCarrying(2)
		nstest.Command(t, r.Here, "ip", "neigh", "replace", thereAddr, "lladdr", r.There.MAC("br0").String(), "dev", "bond0")
		r.Here.MustPing(thereAddr)
		waitEvent(r, "bond0 was set up")
		waitEvent(r, "announced 1 address")
	})
}

func TestDeviceAddressIsFollowed(t *testing.T) {
	each(t, func(t *testing.T, r *rig.Rig) {
		const given = "02:00:00:00:00:99"
		ipLink(r, "bond0", "address", given)
		nstest.Eventually(t, 10*time.Second, func() bool {
			return r.Here.MAC("eth1").String() == given && r.Here.MAC("eth2").String() == given
		}, "the ports to have the address; log:\n%s", r.Log)
		r.WaitFor(func(s agg.Status) bool { return s.Plan.InForce && s.Device.MAC.String() == given }, "status to tell the device's address")
		// The address of a port that is not the aggregate's is put right again.
		ipLink(r, "eth2", "address", "02:00:00:00:00:77")
		nstest.Eventually(t, 10*time.Second, func() bool { return r.Here.MAC("eth2").String() == given }, "eth2 to be repaired")
		r.Must("down", "bond0")
		if r.Here.MAC("eth1").String() == given {
			t.Error("eth1 keeps the aggregate's address")
		}
	})
}

func TestDeviceMTUIsFollowed(t *testing.T) {
	each(t, func(t *testing.T, r *rig.Rig) {
		mtu := func(name string) int { return r.Here.Link(name).Attrs().MTU }
		ipLink(r, "bond0", "mtu", "9000")
		nstest.Eventually(t, 10*time.Second, func() bool { return mtu("eth1") == 9000 && mtu("eth2") == 9000 }, "the ports to have the MTU")
		nstest.Eventually(t, 10*time.Second, func() bool { return strings.Contains(r.Must("get", "bond0"), "9000") }, "get to tell of it")
		r.WaitCarrying(2)
	})
}

// A port that cannot have the MTU leaves all as it was.
func TestDeviceMTUIsTakenBack(t *testing.T) {
	for _, plane := range []string{"ebpf", "user"} {
		t.Run(plane, func(t *testing.T) {
			r := rig.New(t, "bpf")
			nstest.Command(t, r.Here, "ip", "link", "add", "low", "mtu", "1500", "type", "veth", "peer", "name", "far9")
			nstest.Command(t, r.Here, "ip", "link", "add", "link", "low", "name", "eth9", "type", "macvlan")
			r.Start()
			r.Must("up", "bond0", "plane="+plane, "mode=balance-xor", "eth1", "eth9")
			ipLink(r, "bond0", "mtu", "9000")
			waitEvent(r, "taken back")
			nstest.Eventually(t, 10*time.Second, func() bool {
				return r.Here.Link("bond0").Attrs().MTU == 1500 && r.Here.Link("eth1").Attrs().MTU == 1500
			}, "the MTU to be as before; log:\n%s", r.Log)
		})
	}
}

func TestDeviceDeletedTakesTheAggregateApart(t *testing.T) {
	each(t, func(t *testing.T, r *rig.Rig) {
		shared := r.Here.MAC("bond0").String()
		r.Here.Delete("bond0")
		nstest.Eventually(t, 10*time.Second, func() bool {
			_, err := r.Yoke("get", "bond0")
			return rig.ExitCode(err) != 0
		}, "the aggregate to be gone; log:\n%s", r.Log)
		nstest.Eventually(t, 10*time.Second, func() bool { return r.Here.MAC("eth2").String() != shared }, "eth2 to be given back")
		for _, left := range []string{"bond0.json", "bond0.ports.json"} {
			nstest.Eventually(t, 10*time.Second, func() bool {
				_, err := os.Stat(r.Dir + "/" + left)
				return err != nil
			}, "%s to be gone", left)
		}
		nstest.Eventually(t, 10*time.Second, func() bool { return strings.Contains(r.Log.String(), "bond0 was deleted") }, "the log to tell of it; log:\n%s", r.Log)
		r.Must("up", "bond0", "eth1", "eth2")
	})
}

func TestDeviceRenameIsFollowed(t *testing.T) {
	each(t, func(t *testing.T, r *rig.Rig) {
		before := r.Status()
		mac := r.Here.MAC("bond0").String()
		stream := nstest.StartUDP(t, r.Here, r.There, rig.HereAddr, rig.ThereAddr, time.Millisecond)
		stream.WaitReceived(100)
		ipLink(r, "bond0", "name", "bond9")
		nstest.Eventually(t, 10*time.Second, func() bool {
			_, err := r.Yoke("get", "bond9")
			return err == nil
		}, "the aggregate to have the name; log:\n%s", r.Log)
		var s agg.Status
		nstest.Eventually(t, 10*time.Second, func() bool {
			s = statusOf(r, "bond9")
			return s.Carrying == 2 && s.Plan.InForce
		}, "both ports to carry; log:\n%s", r.Log)
		stream.WaitReceived(100)
		if result := stream.Stop(); s.Plane == "ebpf" {
			rig.Lossless(t, "a rename of the device", result)
		}
		if s.Plan.Generation < before.Plan.Generation || r.Here.MAC("bond9").String() != mac {
			t.Errorf("it was made anew: %+v", s.Plan)
		}
		if !r.Here.Has("yk-bond9") || r.Here.Has("yk-bond0") {
			t.Error("the inner end has another name")
		}
		if out := r.Must("events", "bond9"); !strings.Contains(out, "the device of bond0 was renamed from bond0 to bond9") {
			t.Errorf("the events do not tell of it:\n%s", out)
		}
		for _, left := range []string{"bond0.json", "bond0.ports.json"} {
			if _, err := os.Stat(r.Dir + "/" + left); err == nil {
				t.Errorf("%s is left", left)
			}
		}
		r.Kill()
		r.Start()
		nstest.Eventually(t, 10*time.Second, func() bool { return statusOf(r, "bond9").Carrying == 2 }, "it to be adopted; log:\n%s", r.Log)
		r.Must("down", "bond9")
		if r.Here.Has("yk-bond9") || r.Here.MAC("eth1").String() == mac && r.Here.MAC("eth2").String() == mac {
			t.Error("something is left")
		}
	})
}

// What a daemon began and did not end is ended by the next.
func TestDeviceRenameIsFinished(t *testing.T) {
	each(t, func(t *testing.T, r *rig.Rig) {
		r.Kill()
		state, err := os.ReadFile(r.Dir + "/bond0.json")
		if err != nil {
			t.Fatal(err)
		}
		ipLink(r, "bond0", "name", "bond9")
		text := strings.Replace(string(state), `"name": "bond0"`, `"name": "bond9"`, 1)
		text = strings.Replace(text, "{", "{\n \"renamed_from\": \"bond0\",", 1)
		if err := os.WriteFile(r.Dir+"/bond9.json", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r.Start()
		nstest.Eventually(t, 10*time.Second, func() bool { return statusOf(r, "bond9").Carrying == 2 }, "both ports to carry; log:\n%s", r.Log)
		if _, err := r.Yoke("get", "bond0"); rig.ExitCode(err) == 0 {
			t.Error("there are two now")
		}
		r.Must("down", "bond9")
	})
}

func statusOf(r *rig.Rig, name string) agg.Status {
	r.T.Helper()
	out, err := r.Yoke("status", name, "-o", "json")
	var list struct {
		Aggregates []agg.Status `json:"aggregates"`
	}
	if err != nil || json.Unmarshal([]byte(out), &list) != nil || len(list.Aggregates) != 1 {
		return agg.Status{}
	}
	return list.Aggregates[0]
}

// What somebody does to the device while nobody looks is followed by the next daemon.
func TestDeviceChangesWithoutDaemonAreFollowed(t *testing.T) {
	r := rig.New(t, "bpf")
	r.Start()
	r.Up("br0", "plane=ebpf", "mode=balance-xor", "mac=02:00:00:00:00:98", "mtu=1400", "eth1", "eth2")
	r.WaitCarrying(2)
	r.Kill()
	const given = "02:00:00:00:00:99"
	ipLink(r, "bond0", "address", given)
	ipLink(r, "bond0", "mtu", "1450")
	r.Start()
	for _, name := range []string{"bond0", "eth1", "eth2"} {
		nstest.Eventually(t, 10*time.Second, func() bool {
			l := r.Here.Link(name).Attrs()
			return l.HardwareAddr.String() == given && l.MTU == 1450
		}, "%s to have address and MTU; log:\n%s", name, r.Log)
	}
	waitEvent(r, "while no daemon ran")
}
