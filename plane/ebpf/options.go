package ebpf

import (
	"path/filepath"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/plane/device"
)

// Options say which aggregate a plane is for and where its state lives.
type Options struct {
	// Name is the aggregate and the name of its device.
	Name string
	// MAC is the address the device is created with; zero lets the kernel choose one.
	MAC agg.MAC
	// MTU in bytes is the MTU the device is created with; 0 means 1500.
	MTU int
	// Follows: another plane has had the aggregate until now, so ports that are taken stay
	// so until the first plan.
	Follows bool
	// Uppers are what [port.WatchUppers] made, for all planes of a process; nil reads them for
	// each port.
	Uppers *iface.Kinds
	// StateDir is a directory for the journal of ports, NAME.ports.json. Default /run/yoke.
	StateDir string
	// PinRoot is a directory on a bpf file system. Default /sys/fs/bpf/yoke, the host's.
	PinRoot string
	// Programs are shared by the planes of a process; nil means the plane's own.
	Programs *Programs
	// ForceBlindGuard loads the guard that cannot see its port's carrier also where the
	// kernel allows the other.
	ForceBlindGuard bool
}

func (o Options) withDefaults() Options {
	if o.StateDir == "" {
		o.StateDir = "/run/yoke"
	}
	if o.PinRoot == "" {
		o.PinRoot = defaultPinRoot()
	}
	if o.Programs == nil {
		o.Programs = NewPrograms()
	}
	return o
}

func (o Options) journal() string { return filepath.Join(o.StateDir, o.Name+".ports.json") }

func (o Options) device() device.Options {
	return device.Options{Name: o.Name, MAC: o.MAC, MTU: o.MTU}
}
