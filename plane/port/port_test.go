package port

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/plane/device"
)

// bench is a namespace with eth1, whose cable ends in far.
type bench struct {
	*nstest.NS
	t    *testing.T
	path string
}

func newBench(t *testing.T) bench {
	t.Helper()
	nstest.Require(t, "root", "veth")
	b := bench{nstest.New(t), t, filepath.Join(t.TempDir(), "bond0"+Suffix)}
	b.Do(func() { _ = iface.SetSysctl("ipv6", "default", "dad_transmits", "0") }) // no waiting
	b.Veth("eth1", b.NS, "far")
	return b
}

func (b bench) open() *Keeper {
	b.t.Helper()
	var k *Keeper
	if err := b.Run(func() (err error) { k, err = Open(b.path, "bond0"); return err }); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = k.Close() })
	return k
}

// state is everything of eth1 that a user could see. An address that is still being
// probed is not the state yet.
func (b bench) state() string {
	b.t.Helper()
	var out string
	nstest.Eventually(b.t, 10*time.Second, func() bool {
		out = nstest.Command(b.t, b.NS, "ip", "-d", "link", "show", "dev", "eth1") +
			nstest.Command(b.t, b.NS, "ip", "addr", "show", "dev", "eth1") +
			sortedLines(nstest.Command(b.t, b.NS, "ip", "maddr", "show", "dev", "eth1")) +
			nstest.Command(b.t, b.NS, "ip", "-6", "route", "show", "dev", "eth1")
		return !strings.Contains(out, "tentative")
	}, "eth1 to settle")
	b.Do(func() {
		v, err := iface.Sysctl("ipv6", "eth1", disableIPv6)
		if err == nil {
			out += "disable_ipv6 " + v
		}
	})
	return out
}

// sortedLines hides the order of a list that the kernel keeps in any order.
func sortedLines(text string) string {
	lines := strings.SplitAfter(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// becomes waits until the state is as it was.
func (b bench) becomes(before string) {
	b.t.Helper()
	var now string
	defer func() {
		if b.t.Failed() {
			b.t.Logf("before:\n%s\nnow:\n%s", before, now)
		}
	}()
	nstest.Eventually(b.t, 10*time.Second, func() bool { now = b.state(); return now == before }, "eth1 to be as before")
}

var want = Want{MAC: agg.MAC{2, 0, 0, 0, 0, 0x42}, MTU: 1400}

func TestTakeAndRelease(t *testing.T) {
	for name, prepare := range starts() {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			prepare(b)
			before := b.state()
			k := b.open()
			index, err := k.Take(t.Context(), "eth1", want)
			if err != nil || index != b.Index("eth1") {
				t.Fatal(index, err)
			}
			b.checkTaken()
			if len(k.Taken()) != 1 || k.Taken()[0].Name != "eth1" {
				t.Errorf("taken: %+v", k.Taken())
			}
			if err := k.Release(t.Context(), "eth1"); err != nil {
				t.Fatal(err)
			}
			b.becomes(before)
			if _, err := os.Stat(b.path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the journal is still there: %v", err)
			}
		})
	}
}

// starts are states that a port may be in before.
func starts() map[string]func(bench) {
	return map[string]func(bench){
		"up":   func(bench) {},
		"down": func(b bench) { b.SetDown("eth1") },
		"IPv6 off": func(b bench) {
			b.Do(func() { _ = iface.SetSysctl("ipv6", "eth1", disableIPv6, "1") })
		},
		"allmulti, no link-local, jumbo": func(b bench) {
			nstest.Command(b.t, b.NS, "ip", "link", "set", "eth1", "allmulticast", "on", "addrgenmode", "none", "mtu", "9000")
			nstest.Command(b.t, b.NS, "ip", "-6", "addr", "flush", "dev", "eth1")
		},
		"address changed while up": func(b bench) {
			nstest.Command(b.t, b.NS, "ip", "link", "set", "eth1", "address", "02:00:00:00:00:77")
		},
		"link-local by hand": func(b bench) { b.AddAddr("eth1", "fe80::42/64") },
	}
}

func (b bench) checkTaken() {
	b.t.Helper()
	var l iface.Link
	var addresses []iface.Address
	err := b.Run(func() (err error) {
		if l, err = iface.ByName("eth1", iface.Here); err == nil {
			addresses, err = iface.Addresses(l.Index, iface.Here)
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	if l.HardwareAddr.String() != want.MAC.String() || l.MTU != want.MTU || !l.AdminUp() || l.RawFlags&unix.IFF_ALLMULTI == 0 {
		b.t.Errorf("taken as %+v", l)
	}
	if l.GenMode != iface.GenModeNone && l.GenMode != -1 || len(addresses) != 0 {
		b.t.Errorf("IPv6 is alive: mode %d, addresses %v", l.GenMode, addresses)
	}
}

func TestTakeAgainChangesOnlyWhatIsWanted(t *testing.T) {
	b := newBench(t)
	before := b.state()
	k := b.open()
	if _, err := k.Take(t.Context(), "eth1", want); err != nil {
		t.Fatal(err)
	}
	b.SetDown("eth1")
	k = b.open() // a restarted daemon
	if _, err := k.Take(t.Context(), "eth1", Want{MAC: agg.MAC{2, 0, 0, 0, 0, 0x43}, MTU: 1300}); err != nil {
		t.Fatal(err)
	}
	l := b.Link("eth1").Attrs()
	if l.HardwareAddr[5] != 0x43 || l.MTU != 1300 || l.RawFlags&unix.IFF_UP != 0 {
		t.Errorf("got %+v", l)
	}
	if err := k.Release(t.Context(), "eth1"); err != nil {
		t.Fatal(err)
	}
	b.becomes(before)
}

// crashAfter lets n steps pass.
func crashAfter(n int) func() error {
	return func() error {
		if n == 0 {
			return errCrash
		}
		n--
		return nil
	}
}

func TestCrashAtEveryStep(t *testing.T) {
	for _, name := range []string{"up", "down", "link-local by hand", "address changed while up"} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			starts()[name](b)
			before := b.state()
			steps := 0
			for crashed := true; crashed; steps++ {
				k := b.open()
				k.crash = crashAfter(steps)
				_, err := k.Take(t.Context(), "eth1", want)
				if crashed = errors.Is(err, errCrash); crashed {
					b.recovers(before)
				} else if err != nil {
					t.Fatal(err)
				}
			}
			t.Logf("%d steps of a take", steps-1)
			b.crashReleases(before)
		})
	}
}

// recovers opens the journal as the next daemon does and compares.
func (b bench) recovers(before string) {
	b.t.Helper()
	if k := b.open(); len(k.Taken()) != 0 {
		b.t.Errorf("still taken: %+v", k.Taken())
	}
	b.becomes(before)
}

// crashReleases crashes a release at every step; the port is taken at first.
func (b bench) crashReleases(before string) {
	b.t.Helper()
	steps := 0
	for crashed := true; crashed; steps++ {
		k := b.open()
		if _, err := k.Take(b.t.Context(), "eth1", want); err != nil {
			b.t.Fatal(err)
		}
		k.crash = crashAfter(steps)
		err := k.Release(b.t.Context(), "eth1")
		if crashed = errors.Is(err, errCrash); err != nil && !crashed {
			b.t.Fatal(err)
		}
		if crashed && steps == 0 {
			continue // nothing was written yet, so the port is still taken
		}
		b.recovers(before)
	}
	b.t.Logf("%d steps of a release", steps-1)
}

func TestCrashWhileCrashed(t *testing.T) {
	b := newBench(t)
	before := b.state()
	k := b.open()
	k.crash = crashAfter(6)
	if _, err := k.Take(t.Context(), "eth1", want); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	for steps := range 8 {
		j, err := load(b.path)
		if err != nil {
			t.Fatal(err)
		}
		k.journal, k.crash = j, crashAfter(steps)
		_ = b.Run(func() error { return k.settle(t.Context(), Record.Pending) })
	}
	b.recovers(before)
}

func TestFailedTakeIsUndone(t *testing.T) {
	b := newBench(t)
	before := b.state()
	k := b.open()
	_, err := k.Take(t.Context(), "eth1", Want{MTU: 70000})
	var problem *agg.Problem
	if !errors.As(err, &problem) || problem.Code != "mtu-refused" || problem.Option != "mtu" || !strings.Contains(problem.Remedy, "mtu=65535") {
		t.Fatalf("an MTU of 70000: %v", err)
	}
	if len(k.Taken()) != 0 {
		t.Errorf("still taken: %+v", k.Taken())
	}
	b.becomes(before)
}

func TestVanishedAndReplacedPort(t *testing.T) {
	b := newBench(t)
	k := b.open()
	if _, err := k.Take(t.Context(), "eth1", want); err != nil {
		t.Fatal(err)
	}
	b.Delete("eth1")
	b.Veth("eth1", b.NS, "far")
	before := b.state()
	if err := k.Release(t.Context(), "eth1"); err != nil {
		t.Fatal(err)
	}
	b.becomes(before) // the new eth1 is not the one that was taken
	if len(k.Taken()) != 0 {
		t.Errorf("still taken: %+v", k.Taken())
	}
}

func TestReplacedPortIsTakenAnew(t *testing.T) {
	b := newBench(t)
	k := b.open()
	if _, err := k.Take(t.Context(), "eth1", want); err != nil {
		t.Fatal(err)
	}
	b.Delete("eth1")
	b.Veth("eth1", b.NS, "far")
	before := b.state()
	if index, err := k.Take(t.Context(), "eth1", want); err != nil || index != b.Index("eth1") {
		t.Fatal(index, err)
	}
	b.checkTaken()
	if len(k.Taken()) != 1 {
		t.Errorf("taken: %+v", k.Taken())
	}
	if err := k.Release(t.Context(), "eth1"); err != nil {
		t.Fatal(err)
	}
	b.becomes(before)
}

func TestReleaseFollowsIndexOverRename(t *testing.T) {
	b := newBench(t)
	before := b.state()
	k := b.open()
	if _, err := k.Take(t.Context(), "eth1", want); err != nil {
		t.Fatal(err)
	}
	rename := func(from, to string) {
		if err := b.Handle().LinkSetName(b.Link(from), to); err != nil {
			t.Fatal(err)
		}
	}
	rename("eth1", "lan7")
	if err := k.Release(t.Context(), "eth1"); err != nil {
		t.Fatal(err)
	}
	rename("lan7", "eth1")
	b.becomes(before)
}

func TestRefusals(t *testing.T) {
	b := newBench(t)
	b.Bridge("br0")
	add := func(l netlink.Link) {
		t.Helper()
		if err := b.Handle().LinkAdd(l); err != nil {
			t.Fatal(err)
		}
	}
	named := func(name string) netlink.LinkAttrs {
		a := netlink.NewLinkAttrs()
		a.Name = name
		return a
	}
	b.Veth("bridged", b.NS, "b1")
	if err := b.Handle().LinkSetMaster(b.Link("bridged"), b.Link("br0")); err != nil {
		t.Fatal(err)
	}
	b.Veth("addressed", b.NS, "a1")
	b.AddAddr("addressed", "192.0.2.1/24")
	b.AddAddr("addressed", "2001:db8::1/64")
	b.Veth("routed", b.NS, "r1")
	nstest.Command(t, b.NS, "ip", "route", "add", "198.51.100.0/24", "dev", "routed", "scope", "link")
	b.Veth("lower", b.NS, "l1")
	upper := named("upper0")
	upper.ParentIndex = b.Index("lower")
	add(&netlink.Macvlan{LinkAttrs: upper, Mode: netlink.MACVLAN_MODE_BRIDGE})
	b.Veth("theirs", b.NS, "t1")
	b.Do(func() {
		other, err := Open(filepath.Join(filepath.Dir(b.path), "bond1"+Suffix), "bond1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Take(t.Context(), "theirs", Want{}); err != nil {
			t.Fatal(err)
		}
		if _, err := device.Ensure(device.Options{Name: "bond9"}); err != nil {
			t.Fatal(err)
		}
	})
	k := b.open()
	for _, c := range []struct{ name, code, says, remedy string }{
		{"eht1", "no-such-interface", "no interface", "did you mean eth1"},
		{"zzz", "no-such-interface", "no interface", "ip link"},
		{"a-name-of-sixteen", "invalid-name", "15", ""},
		{"lo", "loopback", "loopback", "Ethernet"},
		{"bridged", "port-busy", "bridge br0", "ip link set bridged nomaster"},
		{"addressed", "has-addresses", "192.0.2.1/24, 2001:db8::1/64", "ip addr flush dev addressed"},
		{"routed", "has-routes", "198.51.100.0/24", "ip route flush dev routed"},
		{"lower", "port-busy", "macvlan interface upper0", "ip link delete upper0"},
		{"theirs", "port-busy", "aggregate bond1", "yoke remove bond1 theirs"},
		{"bond9", "yokes-own", "device of aggregate bond9", "yoke down bond9"},
		{"yk-bond9", "yokes-own", "inner end of aggregate bond9", "links"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := k.Check(c.name)
			var p *agg.Problem
			if !errors.As(err, &p) {
				t.Fatalf("got %v", err)
			}
			if p.Code != c.code || !strings.Contains(p.Rule, c.says) || !strings.Contains(p.Remedy, c.remedy) {
				t.Errorf("got %s: %v", p.Code, err)
			}
			if _, err := k.Take(t.Context(), c.name, want); err == nil {
				t.Error("it was taken all the same")
			}
		})
	}
	for _, name := range []string{"eth1", "far"} {
		if err := k.Check(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRemediesWork(t *testing.T) {
	b := newBench(t)
	b.Bridge("br0", "eth1")
	b.AddAddr("far", "192.0.2.1/24")
	nstest.Command(t, b.NS, "ip", "route", "add", "198.51.100.0/24", "dev", "far", "scope", "link")
	k := b.open()
	for _, name := range []string{"eth1", "far", "far"} {
		err := k.Check(name)
		var p *agg.Problem
		if !errors.As(err, &p) {
			continue // the first remedy may have been enough
		}
		words := strings.Fields(strings.Split(p.Remedy, "`")[1])
		nstest.Command(t, b.NS, words[0], words[1:]...)
	}
	for _, name := range []string{"eth1", "far"} {
		if err := k.Check(name); err != nil {
			t.Errorf("after the remedy: %v", err)
		}
	}
}

func TestNewerJournalIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bond0"+Suffix)
	if err := os.WriteFile(path, []byte(`{"version": 99, "ports": [{"name": "eth1", "future": true}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path, "bond0")
	var p *agg.Problem
	if !errors.As(err, &p) || p.Code != "newer-journal" {
		t.Errorf("got %v", err)
	}
}

func TestJournalOfAnotherBootOrNamespace(t *testing.T) {
	b := newBench(t)
	k := b.open()
	if _, err := k.Take(t.Context(), "eth1", want); err != nil {
		t.Fatal(err)
	}
	other := nstest.New(t)
	var p *agg.Problem
	if err := other.Run(func() error { _, err := Open(b.path, "bond0"); return err }); !errors.As(err, &p) || p.Code != "other-namespace" {
		t.Errorf("another namespace: %v", err)
	}
	j, err := load(b.path)
	if err != nil {
		t.Fatal(err)
	}
	j.Boot = "another"
	if err := j.save(b.path); err != nil {
		t.Fatal(err)
	}
	if k := b.open(); len(k.Taken()) != 0 {
		t.Errorf("another boot's ports: %+v", k.Taken())
	}
}

// A port that somebody moves to another namespace does not go about there with the address
// of the aggregate.
func TestMovedPortIsRestoredWhereItIs(t *testing.T) {
	b := newBench(t)
	link := b.Link("eth1").Attrs()
	k := b.open()
	if _, err := k.Take(t.Context(), "eth1", want); err != nil {
		t.Fatal(err)
	}
	other := nstest.New(t)
	stranger := nstest.New(t)
	stranger.Veth("eth1", stranger, "far")
	if err := b.Handle().LinkSetNsFd(b.Link("eth1"), other.FD()); err != nil {
		t.Fatal(err)
	}
	before := nstest.Command(t, stranger, "ip", "-d", "link", "show", "dev", "eth1")
	if err := k.Release(t.Context(), "eth1"); err != nil {
		t.Fatal(err)
	}
	l := other.Link("eth1").Attrs()
	if l.HardwareAddr.String() != link.HardwareAddr.String() || l.MTU != link.MTU || l.Allmulti != 0 {
		t.Errorf("%s, MTU %d, allmulti %d; was %s, MTU %d", l.HardwareAddr, l.MTU, l.Allmulti, link.HardwareAddr, link.MTU)
	}
	if after := nstest.Command(t, stranger, "ip", "-d", "link", "show", "dev", "eth1"); after != before {
		t.Errorf("a stranger of the same name was changed:\n%s%s", before, after)
	}
	if len(k.Taken()) != 0 {
		t.Errorf("still taken: %+v", k.Taken())
	}
}
