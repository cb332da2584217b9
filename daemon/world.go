package daemon

import (
	"context"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
)

// world is what the daemon needs of the machine: the kernel's, or one in memory.
type world interface {
	// Namespace is the inode of the network namespace, BootID the kernel's.
	Namespace() uint64
	BootID() string
	Links() engine.Links
	// Interfaces tells what interfaces there are that could be ports: Ethernet, and nothing
	// that Yoke has made. Drivers are asked for where drivers is set.
	Interfaces(drivers bool) ([]agg.Identity, error)
	// AnyLink wakes the receiver when interfaces appear, go or are renamed, until cancel.
	AnyLink() (wake <-chan struct{}, cancel func())
	Frames() engine.Frames
	Slow() engine.Slow
	// KeepAlive is what speaks LACP on the ports of an aggregate when its engine does not,
	// nil where its plane does not outlive the daemon either.
	KeepAlive(plane string, spec agg.Spec) *keeper
	Stations() engine.Stations
	Clock() engine.Clock
	// AutoPlane tells what plane=auto means here for an aggregate, and why.
	AutoPlane(spec agg.Spec) (name, why string)
	// OpenPlane creates or adopts the plane of an aggregate.
	OpenPlane(ctx context.Context, name string, spec agg.Spec) (engine.Plane, error)
	// ReadPlane returns the plane of an aggregate that nobody looks after, for Observe and
	// Close only: it changes nothing.
	ReadPlane(ctx context.Context, name string, spec agg.Spec) (engine.Plane, error)
	// CheckName refuses a name that a device has that is not ours. A plane that can adopt
	// what others made, asked for by name, may have the device of its driver.
	CheckName(name, plane string) error
	// Stands reports whether there is an interface of that name.
	Stands(name string) bool
	// Existing describes the device of a plane's driver that others made, of which the plane
	// would be told to adopt it; the bool is false where there is none.
	Existing(name, plane string) (agg.Spec, bool, error)
	// CheckPort refuses an interface that cannot be a port of the aggregate, and changes
	// nothing.
	CheckPort(aggregate, port string) error
	// Rename moves what the closed plane of an aggregate has by its name outside of the
	// state directory. It may be repeated.
	Rename(plane, from, to string) error
	// TCPReordering reads net.ipv4.tcp_reordering where the aggregate's device is, 0 where
	// that is unknown.
	TCPReordering(aggregate string) (int, error)
	Close() error
}
