package iface_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/internal/nstest"
)

// kindsRig is a watch in a namespace with the cables eth0 and eth1.
type kindsRig struct {
	*testing.T
	ns, far *nstest.NS
	kinds   *iface.Kinds
}

func newKindsRig(t *testing.T) kindsRig {
	nstest.Require(t, "root", "veth", "macvlan")
	r := kindsRig{T: t, ns: nstest.New(t), far: nstest.New(t)}
	r.ns.Veth("eth0", r.far, "far0")
	r.ns.Veth("eth1", r.far, "far1")
	r.ns.Do(func() {
		var err error
		if r.kinds, err = iface.WatchKinds("vlan", "macvlan"); err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(func() { _ = r.kinds.Close() }) // a second Close fails, as it should
	return r
}

// fresh compares the watch with what the kernel lists at the moment.
func (r kindsRig) fresh(when string) {
	r.Helper()
	r.ns.Do(func() {
		got, err := r.kinds.List()
		if err != nil {
			r.Fatal(err)
		}
		want, err := iface.OfKinds("vlan", "macvlan")
		if err != nil {
			r.Fatal(err)
		}
		same := func(a, b iface.Link) bool {
			return a.Index == b.Index && a.Name == b.Name && a.Kind == b.Kind && a.ParentIndex == b.ParentIndex &&
				a.NetNsID == b.NetNsID && a.AdminUp() == b.AdminUp() && a.HardwareAddr.String() == b.HardwareAddr.String()
		}
		if !slices.EqualFunc(got, want, same) {
			r.Errorf("%s: %+v, and the kernel has %+v", when, got, want)
		}
	})
}

func (r kindsRig) do(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r kindsRig) add(name, on string) {
	r.Helper()
	a := netlink.NewLinkAttrs()
	a.Name, a.ParentIndex = name, r.ns.Index(on)
	r.do(r.ns.Handle().LinkAdd(&netlink.Macvlan{LinkAttrs: a, Mode: netlink.MACVLAN_MODE_BRIDGE}))
}

func TestKindsAreAsTheKernelHasThem(t *testing.T) {
	r := newKindsRig(t)
	h := r.ns.Handle()
	r.fresh("at first")
	r.add("m0", "eth0")
	r.fresh("after one was made")
	r.do(h.LinkSetUp(r.ns.Link("m0")))
	r.fresh("after it was set up")
	r.do(h.LinkSetHardwareAddr(r.ns.Link("m0"), []byte{2, 0, 0, 0, 0, 7}))
	r.fresh("after it got another address")
	r.do(h.LinkSetDown(r.ns.Link("m0")))
	r.do(h.LinkSetName(r.ns.Link("m0"), "m1"))
	r.fresh("after it got another name")
	r.add("m2", "eth1")
	r.ns.Delete("m1")
	r.fresh("after one came and another went")
	r.ns.Delete("eth1")
	r.fresh("after the one below went")
}

// The interface below one that stands here may be away, and come back: the kernel tells
// of that one only.
func TestKindsWhoseLowerComesBack(t *testing.T) {
	r := newKindsRig(t)
	r.add("m0", "eth0")
	r.fresh("at first")
	r.do(r.ns.Handle().LinkSetNsFd(r.ns.Link("eth0"), r.far.Space().FD()))
	r.fresh("after the one below went elsewhere")
	r.do(r.far.Handle().LinkSetNsFd(r.far.Link("eth0"), r.ns.Space().FD()))
	r.fresh("after it came back")
}

// What the kernel told, and the socket had no room for, is not taken for nothing.
func TestKindsAfterALostMessage(t *testing.T) {
	r := newKindsRig(t)
	r.fresh("at first")
	fill := func() {
		for range 300 { // a message each, of 1 KiB at least, and the socket holds 208 KiB
			r.do(r.ns.Handle().LinkSetAlias(r.ns.Link("eth1"), "a"))
		}
	}
	fill()
	r.add("m0", "eth0")
	r.fresh("after one was made while the socket was full")
	fill()
	r.ns.Delete("m0")
	r.fresh("after one went while the socket was full")
}

// A watch that is closed asks each time.
func TestKindsClosed(t *testing.T) {
	r := newKindsRig(t)
	r.do(r.kinds.Close())
	r.fresh("closed")
	r.add("m0", "eth0")
	r.fresh("closed, after one was made")
	if err := r.kinds.Close(); !errors.Is(err, unix.EBADF) {
		t.Errorf("closed twice: %v", err)
	}
}
