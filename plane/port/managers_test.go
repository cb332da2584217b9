package port

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"

	"github.com/yokelag/yoke/internal/nstest"
)

// fakeNM answers for NetworkManager with one device, eth1.
type fakeNM struct{}

func (fakeNM) GetDeviceByIpIface(name string) (dbus.ObjectPath, *dbus.Error) { //nolint:revive // its name on the bus
	if name != "eth1" {
		return "/", dbus.NewError(nmBus+".UnknownDevice", nil)
	}
	return "/org/freedesktop/NetworkManager/Devices/1", nil
}

// fakeNetworkd counts reloads.
type fakeNetworkd struct {
	sync.Mutex
	reloads int
}

func (f *fakeNetworkd) Reload() *dbus.Error {
	f.Lock()
	defer f.Unlock()
	f.reloads++
	return nil
}

// privateBus starts a message bus of the test's own and returns how to reach it.
func privateBus(t *testing.T) func(context.Context) (*dbus.Conn, error) {
	t.Helper()
	nstest.Require(t, "program:dbus-daemon")
	cmd := exec.CommandContext(t.Context(), "dbus-daemon", "--session", "--nofork", "--print-address",
		"--address=unix:path="+filepath.Join(t.TempDir(), "bus"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return func(ctx context.Context) (*dbus.Conn, error) {
		return dbus.Connect(strings.TrimSpace(address), dbus.WithContext(ctx))
	}
}

func fakeManagers(t *testing.T, managed bool) (managers, *prop.Properties, *fakeNetworkd) {
	t.Helper()
	m := managers{present: true, root: t.TempDir(), connect: privateBus(t)}
	if err := os.MkdirAll(filepath.Join(m.root, networkdState), 0o755); err != nil {
		t.Fatal(err)
	}
	c, err := m.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	networkd := &fakeNetworkd{}
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	check(c.Export(fakeNM{}, "/org/freedesktop/NetworkManager", nmBus))
	check(c.Export(networkd, "/org/freedesktop/network1", networkdBus+".Manager"))
	props, err := prop.Export(c, "/org/freedesktop/NetworkManager/Devices/1", prop.Map{
		nmBus + ".Device": {"Managed": {Value: managed, Writable: true}},
	})
	check(err)
	for _, name := range []string{nmBus, networkdBus} {
		if reply, err := c.RequestName(name, 0); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
			t.Fatal(name, reply, err)
		}
	}
	return m, props, networkd
}

func TestManagersAreTold(t *testing.T) {
	for _, managed := range []bool{true, false} {
		b := newBench(t)
		k := b.open()
		m, props, networkd := fakeManagers(t, managed)
		k.managers = m
		if _, err := k.Take(t.Context(), "eth1", want); err != nil {
			t.Fatal(err)
		}
		if notes := k.Taken()[0].Notes; len(notes) != 0 {
			t.Errorf("notes: %v", notes)
		}
		if now := props.GetMust(nmBus+".Device", "Managed"); now != false {
			t.Errorf("NetworkManager manages a port")
		}
		unit, err := os.ReadFile(m.networkdFile("eth1"))
		if err != nil || !strings.Contains(string(unit), "Name=eth1\n") || !strings.Contains(string(unit), "Unmanaged=yes") {
			t.Errorf("unit: %s, %v", unit, err)
		}
		if err := k.Release(t.Context(), "eth1"); err != nil {
			t.Fatal(err)
		}
		if now := props.GetMust(nmBus+".Device", "Managed"); now != managed {
			t.Errorf("NetworkManager: managed was %v, is %v", managed, now)
		}
		if _, err := os.Stat(m.networkdFile("eth1")); err == nil {
			t.Error("the unit is still there")
		}
		if networkd.reloads != 2 {
			t.Errorf("%d reloads", networkd.reloads)
		}
	}
}

func TestManagersOfAnotherNamespaceAreNotTold(t *testing.T) {
	b := newBench(t)
	if b.open().managers.present {
		t.Error("a test's namespace is taken for the host's")
	}
}

func TestManagersThatAreNotThere(t *testing.T) {
	m := managers{present: true, root: t.TempDir(), connect: privateBus(t)}
	if m.networkdRuns() {
		t.Error("networkd runs in an empty directory")
	}
	if managed, err := m.networkManagerManages(t.Context(), "eth1"); managed || err != nil {
		t.Errorf("got %v, %v", managed, err)
	}
}

// A bus that takes connections and says nothing does not hold up a port.
func TestBusThatHangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	bus, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer bus.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		c, err := bus.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		cancel() // patience has an end
		<-t.Context().Done()
	}()
	m := managers{present: true, root: t.TempDir(), connect: func(ctx context.Context) (*dbus.Conn, error) {
		return dbus.Connect("unix:path="+path, dbus.WithContext(ctx))
	}}
	if _, err := m.networkManagerManages(ctx, "eth1"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// units are the interfaces that networkd is told of.
func (m managers) units(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(m.networkdFile("*"))
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(string(text), "Name=")
		name, _, _ = strings.Cut(name, "\n")
		if path != m.networkdFile(name) {
			t.Errorf("%s is about %s", path, name)
		}
		out = append(out, name)
	}
	return out
}

// networkd knows ports by name: it is told of another one, also where two ports swap.
func TestUnitsFollowNames(t *testing.T) {
	b := newBench(t)
	k := b.open()
	k.managers = managers{present: true, root: t.TempDir(), connect: func(context.Context) (*dbus.Conn, error) {
		return nil, errors.New("no bus")
	}}
	if err := os.MkdirAll(filepath.Join(k.managers.root, networkdState), 0o755); err != nil {
		t.Fatal(err)
	}
	rename := func(from, to string) {
		t.Helper()
		if err := b.Handle().LinkSetName(b.Link(from), to); err != nil {
			t.Fatal(err)
		}
	}
	take := func(names ...string) {
		t.Helper()
		for _, name := range names {
			if _, err := k.Take(t.Context(), name, Want{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	told := func(names ...string) {
		t.Helper()
		if units := k.managers.units(t); !slices.Equal(units, names) {
			t.Errorf("units: %v, want %v", units, names)
		}
	}
	take("eth1", "far")
	told("eth1", "far")
	rename("eth1", "lan7")
	take("lan7")
	told("far", "lan7")
	rename("lan7", "other")
	rename("far", "lan7")
	rename("other", "far")
	take("far", "lan7")
	told("far", "lan7")
	rename("lan7", "lan8")
	k.crash = crashAfter(1) // the journal has the old name still
	if _, err := k.Take(t.Context(), "lan8", Want{}); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	told("far", "lan8")
	j, err := load(b.path)
	if err != nil {
		t.Fatal(err)
	}
	k.journal, k.crash = j, nil
	if err := k.Release(t.Context(), "lan8"); err != nil {
		t.Fatal(err)
	}
	told("far")
	if err := k.Release(t.Context(), "far"); err != nil {
		t.Fatal(err)
	}
	told()
}
