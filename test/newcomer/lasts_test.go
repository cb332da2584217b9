package newcomer

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

const waitTime = 30 * time.Second

// configured is a daemon that reads the files of a directory.
func (v *visit) configured(dir string) {
	v.StartBy(filepath.Join(v.Bin, "yoked"), "--config", dir)
}

// What was saved is there again on a host that knows nothing but the file.
func TestReboot(t *testing.T) {
	dir := t.TempDir()
	before := &visit{rig.New(t, "bpf", "bpffs")}
	before.configured(dir)
	before.answers(0, "up bond0 mode=balance-xor xmit_hash_policy=layer2 eth1 eth2")
	before.answers(0, "save bond0", filepath.Join(dir, "bond0.yaml"))

	after := &visit{rig.New(t, "bpf", "bpffs")}
	after.configured(dir)
	after.answers(0, "wait bond0 --for ports=2 --timeout 60s")
	after.answers(0, "get bond0", "mode=balance-xor", "xmit_hash_policy=layer2")
	after.answers(0, "status", "2 of 2 ports carry traffic", "eth1", "eth2")
	after.answers(8, "wait bond7 --timeout 200ms", "no such aggregate")
}

// stop ends the daemon as `systemctl stop` does.
func (v *visit) stop() {
	v.T.Helper()
	if err := syscall.Kill(v.PID(), syscall.SIGTERM); err != nil {
		v.T.Fatal(err)
	}
	nstest.Eventually(v.T, waitTime, func() bool {
		_, err := os.Stat(fmt.Sprintf("/proc/%d", v.PID()))
		return err != nil
	}, "yoked to end")
}

// The daemon ends, and nothing else.
func TestStopTheDaemon(t *testing.T) {
	v := newVisit(t)
	v.Up("br0", "eth1", "eth2")
	v.WaitFor(func(s agg.Status) bool { return len(s.Plan.Order) == 2 && s.Plan.InForce }, "eth2 to stand by")
	v.stop()
	v.Here.MustPing(rig.ThereAddr)
	v.answers(0, "status", "no daemon for", "forwarding by plan")
	v.answers(0, "why eth1", "is active")
	v.There.SetDown("far1") // nobody reacts but the plane
	v.Here.MustPing(rig.ThereAddr)
	v.answers(rig.NoDaemon, "down bond0", "no yoked answers here", "yoked --socket")
	v.Start()
	v.WaitActive("eth2")
}

// What others have on a port is named, and stays.
func TestHostWithOtherPrograms(t *testing.T) {
	v := newVisit(t)
	tc := func(words string) string { return nstest.Command(t, v.Here, "tc", strings.Fields(words)...) }
	tc("qdisc add dev eth1 clsact")
	for _, way := range []string{"ingress", "egress"} {
		words := "filter add dev eth1 " + way + " pref 100 protocol ip u32 match ip dst 203.0.113.99/32"
		if out, err := v.Here.Output("tc", strings.Fields(words)...); err != nil {
			nstest.Missing(t, "kernel feature: the u32 filter", fmt.Errorf("%w: %s", err, out))
		}
	}
	v.Up("br0", "eth1", "eth2")
	v.answers(0, "status", "others have tc programs beside ours", "eth1")
	v.There.SetDown("far1")
	v.WaitActive("eth2")
	v.Must("down", "bond0")
	for _, way := range []string{"ingress", "egress"} {
		says(t, tc("filter show dev eth1 "+way), "pref 100 u32")
		if out := tc("filter show dev eth1 " + way); strings.Contains(out, "yoke") {
			t.Errorf("ours is left:\n%s", out)
		}
	}
}

// A lease is had by the aggregate as by any interface.
func TestDHCP(t *testing.T) {
	v := newVisit(t, "program:busybox")
	v.Must("up", "bond0", "eth1", "eth2")
	v.There.AddAddr("br0", rig.ThereAddr+"/24")
	server, client := filepath.Join(v.Dir, "udhcpd.conf"), filepath.Join(v.Dir, "client")
	write(t, server, "start 192.0.2.50\nend 192.0.2.60\ninterface br0\nlease_file "+filepath.Join(v.Dir, "leases")+"\noption subnet 255.255.255.0\n", 0o600)
	write(t, client, "#!/bin/sh\n[ \"$1\" = bound ] && ip addr add \"$ip/24\" dev \"$interface\"\nexit 0\n", 0o700)
	v.background(v.There, "busybox", "udhcpd", "-f", server)
	nstest.Command(t, v.Here, "busybox", "udhcpc", "-i", "bond0", "-q", "-n", "-T", "1", "-t", "40", "-s", client)
	v.Here.MustPing(rig.ThereAddr)
	v.There.SetDown("far1")
	v.WaitFor(func(s agg.Status) bool { return s.Active == "eth2" }, "eth2 to be active")
	v.Here.MustPing(rig.ThereAddr)
}

// Cables of devices whose events the kernel holds back, as those of virtual machines: one is
// pulled after the other, faster than events come, and each time the other port has it.
func TestPullsCablesInABurst(t *testing.T) {
	v := newVisit(t, "tun")
	taps := []*nstest.Tap{v.Here.Tap("tap0"), v.Here.Tap("tap1")}
	v.answers(0, "up bond0 tap0 tap1")
	v.WaitActive("tap0")
	for range 3 {
		taps[0].SetCarrier(false)
		v.WaitActive("tap1")
		v.answers(6, "why tap0", "no carrier")
		taps[0].SetCarrier(true)
		v.WaitFor(func(s agg.Status) bool { return len(s.Plan.Order) == 2 }, "tap0 to be ready")
		v.answers(5, "why tap0", "stands by")
		taps[1].SetCarrier(false)
		v.WaitActive("tap0")
		taps[1].SetCarrier(true)
		v.WaitFor(func(s agg.Status) bool { return len(s.Plan.Order) == 2 }, "tap1 to be ready")
	}
	taps[0].SetCarrier(false)
	taps[1].SetCarrier(false)
	v.WaitFor(func(s agg.Status) bool { return s.Carrying == 0 && !s.Device.Carrier }, "the aggregate to lose its carrier")
}
