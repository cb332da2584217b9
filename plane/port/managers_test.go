package port

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
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
func privateBus(t *testing.T) func() (*dbus.Conn, error) {
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
	return func() (*dbus.Conn, error) { return dbus.Connect(strings.TrimSpace(address)) }
}

func fakeManagers(t *testing.T, managed bool) (managers, *prop.Properties, *fakeNetworkd) {
	t.Helper()
	m := managers{present: true, root: t.TempDir(), connect: privateBus(t)}
	if err := os.MkdirAll(filepath.Join(m.root, networkdState), 0o755); err != nil {
		t.Fatal(err)
	}
	c, err := m.connect()
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
