package user_test

import (
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/plane/user"
)

func TestNextDaemonGoesOn(t *testing.T) {
	r := newRig(t)
	r.up(r.plan(0))
	r.host.MustPing("192.0.2.2")
	index := r.host.Index("bond0")
	if err := r.host.Run(r.plane.Close); err != nil {
		t.Fatal(err)
	}
	r.open()
	if f := r.facts(); f.Published != nil || !f.Device.Present || f.Device.Index != index {
		t.Errorf("adopted %+v", f)
	}
	r.apply(r.plan(0))
	r.host.MustPing("192.0.2.2")
}

func TestPortIsDeletedAndComesBack(t *testing.T) {
	r := newRig(t)
	r.up(r.plan(0))
	r.host.MustPing("192.0.2.2")
	r.host.Delete("p0")
	r.apply(r.plan(1))
	r.host.MustPing("192.0.2.2")
	r.host.Veth("p0", r.peer, "q0")
	if err := r.peer.Handle().LinkSetMaster(r.peer.Link("q0"), r.peer.Link("br0")); err != nil {
		t.Fatal(err)
	}
	r.apply(r.plan(0))
	r.host.MustPing("192.0.2.2")
	s := nstest.StartUDP(t, r.host, r.peer, "192.0.2.1", "192.0.2.2", 0)
	s.SendAll(100)
}

func TestPortIsDownForAWhile(t *testing.T) {
	r := newRig(t)
	r.up(r.plan(0))
	r.host.MustPing("192.0.2.2")
	r.host.SetDown("p0")
	r.host.SetUp("p0")
	r.apply(r.plan(0))
	r.host.MustPing("192.0.2.2")
}

// Opening fails when the device is made already: it goes, but one that was there before
// stays.
func TestFailedOpenLeavesNoDevice(t *testing.T) {
	nstest.Require(t, "root", "veth")
	o := user.Options{Name: "bond0", StateDir: t.TempDir(), ShortFrames: -1000} // no such ring
	host := nstest.New(t)
	open := func(o user.Options) (p *user.Plane, err error) {
		err = host.Run(func() (err error) { p, err = user.Open(t.Context(), o); return err })
		return p, err
	}
	if _, err := open(o); err == nil {
		t.Fatal("it was opened")
	}
	if host.Has("bond0") || host.Has("yk-bond0") {
		t.Error("the device is left")
	}
	p, err := open(user.Options{Name: "bond0", StateDir: o.StateDir})
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Run(p.Close); err != nil {
		t.Fatal(err)
	}
	if _, err := open(o); err == nil || !host.Has("bond0") || !host.Has("yk-bond0") {
		t.Errorf("opened once more: %v; the device is there: %v", err, host.Has("bond0"))
	}
}
