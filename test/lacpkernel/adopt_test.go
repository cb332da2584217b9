package lacpkernel

import (
	"strings"
	"syscall"
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// teamd's device is not taken from it while it lives. When it was killed, the device with
// its ports and addresses goes on under Yoke, which agrees anew with the partner.
func TestTakesTheDeviceOfTeamd(t *testing.T) {
	t.Parallel()
	s := fast("team")
	r := host(t, s.plane, "bonding", "program:teamd")
	macs := r.Here.MAC("eth1").String() + r.Here.MAC("eth2").String()
	d := &teamd{r: r, s: s, n: r.Here, name: "bond0", addr: rig.HereAddr}
	d.up()
	p := newBonding(r, s)
	p.up()
	waitUsed(r, p, 2)
	r.Here.MustPing(rig.ThereAddr)
	index := r.Here.Index("bond0")

	r.Start()
	words := append([]string{"up", "bond0", "plane=team", "mode=802.3ad", "lacp_rate=fast"}, cables()...)
	if out, err := r.Yoke(words...); err == nil || !strings.Contains(out, "teamd") || !strings.Contains(out, "kill -9") {
		t.Errorf("teamd lives, and yoke says: %v\n%s", err, out)
	}
	r.Here.MustPing(rig.ThereAddr)
	waitUsed(r, p, 2)

	if err := syscall.Kill(d.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	nstest.Eventually(t, patience, func() bool { return syscall.Kill(d.pid, 0) != nil }, "teamd to end")
	r.Must(words...)
	carries(r, p, 2)
	waitAgreed(r, p)
	if now := r.Here.Index("bond0"); now != index {
		t.Errorf("the device is %d, was %d", now, index)
	}
	r.Must("down", "bond0")
	if r.Here.Has("bond0") {
		t.Error("the device is still there")
	}
	if now := r.Here.MAC("eth1").String() + r.Here.MAC("eth2").String(); now != macs {
		t.Errorf("the ports have the addresses %s, had %s", now, macs)
	}
}
