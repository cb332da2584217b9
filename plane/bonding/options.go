package bonding

import (
	"path/filepath"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
)

// Options say which aggregate a plane is for and where its state lives.
type Options struct {
	// Name is the aggregate and the name of its device.
	Name string
	// MAC is the address the device is created with; zero lets the kernel choose one.
	MAC agg.MAC
	// MTU in bytes is the MTU the device is created with; 0 means 1500.
	MTU int
	// Miimon in milliseconds is the driver's carrier poll, for a bond that has no watch at
	// all. Default 100.
	Miimon int
	// Uppers are what [port.WatchUppers] made, for all planes of a process; nil reads them for
	// each port.
	Uppers *iface.Kinds
	// StateDir is a directory for the journal of ports, NAME.ports.json, and for the plan
	// in force, NAME.bonding.json. Default /run/yoke.
	StateDir string
}

func (o Options) withDefaults() Options {
	if o.StateDir == "" {
		o.StateDir = "/run/yoke"
	}
	if o.Miimon == 0 {
		o.Miimon = 100
	}
	return o
}

func (o Options) portJournal() string { return filepath.Join(o.StateDir, o.Name+".ports.json") }

func (o Options) planFile() string { return filepath.Join(o.StateDir, o.Name+".bonding.json") }
