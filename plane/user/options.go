package user

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
	// Uppers are what [port.WatchUppers] made, for all planes of a process; nil reads them for
	// each port.
	Uppers *iface.Kinds
	// StateDir is a directory for the journal of ports, NAME.ports.json. Default /run/yoke.
	StateDir string
	// ShortFrames and LongFrames are how many frames wait on each interface, at 2 KiB and
	// 68 KiB of memory each; 0 means 4096 and 255.
	ShortFrames, LongFrames int
}

func (o Options) withDefaults() Options {
	if o.MTU == 0 {
		o.MTU = 1500
	}
	if o.StateDir == "" {
		o.StateDir = "/run/yoke"
	}
	if o.ShortFrames == 0 {
		o.ShortFrames = 4096
	}
	if o.LongFrames == 0 {
		o.LongFrames = 255
	}
	return o
}

func (o Options) portJournal() string { return filepath.Join(o.StateDir, o.Name+".ports.json") }
