package device

import (
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/internal/nstest"
)

func TestInnerName(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range []string{"bond0", "b", "twelve-chars", "thirteen-char", "thirteen-chas", "fifteen-chars-x"} {
		got := InnerName(name)
		if len(got) > 15 || !strings.HasPrefix(got, "yk-") || seen[got] {
			t.Errorf("InnerName(%q) = %q", name, got)
		}
		seen[got] = true
	}
	if got := InnerName("bond0"); got != "yk-bond0" {
		t.Errorf("got %q", got)
	}
}

func ensured(t *testing.T, ns *nstest.NS, o Options) *Pair {
	t.Helper()
	var p *Pair
	if err := ns.Run(func() (err error) { p, err = Ensure(o); return err }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func facts(t *testing.T, p *Pair) agg.DeviceFacts {
	t.Helper()
	f, err := p.Facts()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func newNS(t *testing.T) *nstest.NS {
	t.Helper()
	nstest.Require(t, "root", "veth")
	return nstest.New(t)
}

func TestCreate(t *testing.T) {
	ns := newNS(t)
	mac := agg.MAC{2, 0, 0, 0, 0, 9}
	p := ensured(t, ns, Options{Name: "bond0", MAC: mac, MTU: 9000})
	f := facts(t, p)
	if !f.Present || !f.AdminUp || f.Carrier || f.MAC != mac || f.MTU != 9000 || f.Elsewhere || f.Index != ns.Index("bond0") {
		t.Errorf("got %+v", f)
	}
	inner := ns.Link("yk-bond0").Attrs()
	if inner.Alias != "yoke: inner end of bond0" || inner.MTU != 65535 || inner.Index != p.Inner {
		t.Errorf("inner end: %+v", inner)
	}
	ns.Do(func() {
		l, err := iface.ByIndex(p.Inner, iface.Here)
		if err != nil || l.GenMode != iface.GenModeNone && l.GenMode != -1 {
			t.Errorf("address generation mode %d, %v", l.GenMode, err)
		}
		if v, err := iface.Sysctl("ipv6", "yk-bond0", "disable_ipv6"); err == nil && v != "1" {
			t.Errorf("disable_ipv6 is %s", v)
		}
	})
}

func TestCarrierFollowsInnerEnd(t *testing.T) {
	ns := newNS(t)
	p := ensured(t, ns, Options{Name: "bond0"})
	for _, step := range []struct{ admin, carrier bool }{{true, false}, {true, true}, {true, false}, {false, false}} {
		if step.admin {
			ns.SetUp("bond0")
		} else {
			ns.SetDown("bond0")
		}
		if err := p.SetCarrier(step.carrier); err != nil {
			t.Fatal(err)
		}
		if f := facts(t, p); f.AdminUp != step.admin || f.Carrier != step.carrier {
			t.Errorf("asked %+v, got %+v", step, f)
		}
	}
}

func TestAdoptKeepsCarrierAndIndexes(t *testing.T) {
	ns := newNS(t)
	p := ensured(t, ns, Options{Name: "bond0"})
	ns.SetUp("bond0")
	if err := p.SetCarrier(true); err != nil {
		t.Fatal(err)
	}
	q := ensured(t, ns, Options{Name: "bond0", MTU: 1400, MAC: agg.MAC{2, 0, 0, 0, 0, 7}})
	f := facts(t, q)
	if q.Outer != p.Outer || q.Inner != p.Inner || !f.Carrier || f.MTU != 1500 || f.MAC[5] == 7 {
		t.Errorf("adopted %+v with %+v", q, f)
	}
}

func TestAdoptsACreationCutShort(t *testing.T) {
	ns := newNS(t)
	ns.Veth("bond0", ns, "yk-bond0")
	p := ensured(t, ns, Options{Name: "bond0"})
	if p.Outer != ns.Index("bond0") || ns.Link("yk-bond0").Attrs().Alias == "" {
		t.Errorf("got %+v", p)
	}
}

func TestOuterEndElsewhere(t *testing.T) {
	ns, other := newNS(t), newNS(t)
	ensured(t, ns, Options{Name: "bond0"})
	if err := ns.Handle().LinkSetNsFd(ns.Link("bond0"), other.FD()); err != nil {
		t.Fatal(err)
	}
	p := ensured(t, ns, Options{Name: "bond0"})
	if err := errors.Join(p.SetMTU(1300), p.SetCarrier(true), p.SetMAC(agg.MAC{2, 0, 0, 0, 0, 5})); err != nil {
		t.Fatal(err)
	}
	other.SetUp("bond0")
	other.AddAddr("bond0", "192.0.2.1/24")
	ns.AddAddr("lo", "192.0.2.77/32") // must not be mistaken for the device's
	f := facts(t, p)
	if !p.Elsewhere || !f.Elsewhere || !f.Carrier || f.MTU != 1300 || f.MAC[5] != 5 || f.Index != other.Index("bond0") {
		t.Errorf("got %+v, %+v", p, f)
	}
	if len(f.Addresses) < 1 || f.Addresses[0] != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("addresses %v", f.Addresses)
	}
	if err := p.Delete(); err != nil {
		t.Fatal(err)
	}
	if other.Has("bond0") || ns.Has("yk-bond0") {
		t.Error("something is left")
	}
}

func TestFindAfterRename(t *testing.T) {
	ns := newNS(t)
	p := ensured(t, ns, Options{Name: "bond0"})
	if err := ns.Handle().LinkSetName(ns.Link("bond0"), "lag0"); err != nil {
		t.Fatal(err)
	}
	ns.Do(func() {
		q, found, err := Find("bond0")
		if err != nil || !found || q.Outer != p.Outer {
			t.Errorf("got %+v, %v, %v", q, found, err)
		}
		if _, found, err := Find("bond1"); found || err != nil {
			t.Errorf("found bond1: %v", err)
		}
	})
}

func TestForeignNamesAreRefused(t *testing.T) {
	for _, taken := range []string{"bond0", "yk-bond0"} {
		t.Run(taken, func(t *testing.T) {
			ns := newNS(t)
			ns.Veth(taken, ns, "stranger")
			var err error
			ns.Do(func() { _, err = Ensure(Options{Name: "bond0"}) })
			var p *agg.Problem
			if !errors.As(err, &p) || p.Object != taken || p.Remedy == "" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAddressesForAnnouncements(t *testing.T) {
	ns := newNS(t)
	p := ensured(t, ns, Options{Name: "bond0"})
	for _, a := range []string{"192.0.2.1/24", "169.254.1.1/16", "2001:db8::1/64", "fe80::77/64"} {
		ns.AddAddr("bond0", a)
	}
	if got := facts(t, p).Addresses; len(got) != 4 {
		t.Errorf("got %v", got)
	}
}

func TestFactsOfAGoneDevice(t *testing.T) {
	ns := newNS(t)
	p := ensured(t, ns, Options{Name: "bond0"})
	if err := ns.Handle().LinkDel(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "bond0", Index: p.Outer}}); err != nil {
		t.Fatal(err)
	}
	if f := facts(t, p); f.Present {
		t.Errorf("got %+v", f)
	}
	if err := p.Delete(); err != nil {
		t.Errorf("delete: %v", err)
	}
}

// TestUnprivilegedUserNamespace runs this package's own tests as root of a fresh user
// namespace, where /sys is not ours and /proc/sys may be closed.
func TestUnprivilegedUserNamespace(t *testing.T) {
	nstest.Require(t, "userns", "program:unshare")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "unshare", "-Urn", self,
		"-test.run", "^Test(Create|CarrierFollowsInnerEnd|OuterEndElsewhere)$", "-test.v").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "SKIP") {
		t.Errorf("something was left out:\n%s", out)
	}
}

// The kernel flushes the neighbours of a device whose address is set; an adopting daemon
// that sets what is there already would make everybody ask again.
func TestSettingTheSameAddressKeepsNeighbours(t *testing.T) {
	ns := newNS(t)
	mac := agg.MAC{2, 0, 0, 0, 0, 9}
	p := ensured(t, ns, Options{Name: "bond0", MAC: mac, MTU: 1400})
	ns.AddAddr("bond0", "192.0.2.1/24")
	nstest.Command(t, ns, "ip", "neigh", "add", "192.0.2.2", "lladdr", "02:00:00:00:00:02", "dev", "bond0")
	if err := errors.Join(p.SetMAC(mac), p.SetMTU(1400)); err != nil {
		t.Fatal(err)
	}
	if out := nstest.Command(t, ns, "ip", "neigh", "show", "dev", "bond0"); !strings.Contains(out, "PERMANENT") {
		t.Errorf("the neighbours are %q", out)
	}
}
