package port

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/yokelag/yoke/internal/netspace"
)

// managers are the network managers of the host, which would configure a port as any
// free interface: nothing marks it as somebody's.
type managers struct {
	// present is false where we run in another network namespace than the managers,
	// whose eth1 is another eth1.
	present bool
	// root is the file system's root, and connect the system bus.
	root    string
	connect func(context.Context) (*dbus.Conn, error)
}

const (
	networkdState = "run/systemd/netif"
	networkdUnits = "run/systemd/network"

	networkdBus = "org.freedesktop.network1"
	nmBus       = "org.freedesktop.NetworkManager"

	// patience bounds one conversation on the bus, from the connection on: neither a bus
	// nor a manager that hangs must hold up a port.
	patience = 2 * time.Second
)

// systemManagers are those of the host whose first process shares our namespace.
func systemManagers(here *netspace.Space) managers {
	m := managers{root: "/", connect: func(ctx context.Context) (*dbus.Conn, error) {
		return dbus.ConnectSystemBus(dbus.WithContext(ctx))
	}}
	first, err := netspace.Open("/proc/1/ns/net")
	if err != nil {
		return m // not ours to look at: then the managers are not ours either
	}
	defer first.Close()
	m.present = first.ID() == here.ID()
	return m
}

// networkdRuns reports whether systemd-networkd looks after this namespace.
func (m managers) networkdRuns() bool {
	if !m.present {
		return false
	}
	_, err := os.Stat(filepath.Join(m.root, networkdState))
	return err == nil
}

func (m managers) networkdFile(name string) string {
	return filepath.Join(m.root, networkdUnits, "10-yoke-"+name+".network")
}

// networkdTake tells networkd by a run-time unit that the port is not to be managed.
func (m managers) networkdTake(ctx context.Context, name string) error {
	file := m.networkdFile(name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("tell systemd-networkd: %w", err)
	}
	unit := fmt.Sprintf("# A port of a Yoke aggregate; gone when it is released.\n[Match]\nName=%s\n\n[Link]\nUnmanaged=yes\n", name)
	if err := writeFile(file, []byte(unit), 0o644); err != nil {
		return fmt.Errorf("tell systemd-networkd: %w", err)
	}
	return m.networkdReload(ctx)
}

// networkdRelease takes that back.
func (m managers) networkdRelease(ctx context.Context, name string) error {
	err := os.Remove(m.networkdFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("tell systemd-networkd: %w", err)
	}
	_ = m.networkdReload(ctx) // one that is gone reads the files when it starts
	return nil
}

// networkdReload is `networkctl reload`.
func (m managers) networkdReload(ctx context.Context) error {
	return m.on(ctx, networkdBus, func(ctx context.Context, c *dbus.Conn) error {
		return c.Object(networkdBus, "/org/freedesktop/network1").
			CallWithContext(ctx, networkdBus+".Manager.Reload", 0).Err
	})
}

// networkManagerManages reports whether NetworkManager runs and manages the interface.
func (m managers) networkManagerManages(ctx context.Context, name string) (bool, error) {
	managed := false
	err := m.on(ctx, nmBus, func(ctx context.Context, c *dbus.Conn) error {
		d, err := nmDevice(ctx, c, name)
		if err != nil {
			return err
		}
		return d.CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, nmBus+".Device", "Managed").Store(&managed)
	})
	return managed, err
}

// setManaged sets NetworkManager's run-time switch for the interface.
func (m managers) setManaged(ctx context.Context, name string, managed bool) error {
	return m.on(ctx, nmBus, func(ctx context.Context, c *dbus.Conn) error {
		d, err := nmDevice(ctx, c, name)
		if err != nil {
			return err
		}
		return d.CallWithContext(ctx, "org.freedesktop.DBus.Properties.Set", 0,
			nmBus+".Device", "Managed", dbus.MakeVariant(managed)).Err
	})
}

func nmDevice(ctx context.Context, c *dbus.Conn, name string) (dbus.BusObject, error) {
	var path dbus.ObjectPath
	err := c.Object(nmBus, "/org/freedesktop/NetworkManager").
		CallWithContext(ctx, nmBus+".GetDeviceByIpIface", 0, name).Store(&path)
	return c.Object(nmBus, path), err
}

// on calls fn with the bus where the named service runs; where there is no bus or no
// such service, nothing is to be told and that is no error. The service is not started.
func (m managers) on(ctx context.Context, service string, fn func(context.Context, *dbus.Conn) error) error {
	if !m.present {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := m.connect(ctx)
	if late := ctx.Err(); err != nil && late != nil {
		return fmt.Errorf("tell %s: no answer from the bus: %w", service, late)
	}
	if err != nil {
		return nil //nolint:nilerr // no bus, nobody on it
	}
	defer c.Close()
	var runs bool
	if err := c.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, service).Store(&runs); err != nil || !runs {
		return nil //nolint:nilerr // a bus that cannot say who is there is like none
	}
	if err := fn(ctx, c); err != nil {
		return fmt.Errorf("tell %s: %w", service, err)
	}
	return nil
}
