package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/engine"
	"github.com/yokelag/yoke/internal/afpacket"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/internal/rtnl"
	"github.com/yokelag/yoke/plane/bonding"
	"github.com/yokelag/yoke/plane/device"
	"github.com/yokelag/yoke/plane/ebpf"
	"github.com/yokelag/yoke/plane/keepalive"
	"github.com/yokelag/yoke/plane/port"
	"github.com/yokelag/yoke/plane/team"
	"github.com/yokelag/yoke/plane/user"
)

// Compile-time checks: planes and plumbing satisfy the engine's interfaces by shape.
var (
	_ engine.Plane  = (*ebpf.Plane)(nil)
	_ engine.Plane  = (*team.Plane)(nil)
	_ engine.Driver = (*bonding.Plane)(nil)
	_ engine.Plane  = (*user.Plane)(nil)
	_ world         = (*kernelWorld)(nil)
)

// kernelWorld is this machine, in the network namespace of the process.
type kernelWorld struct {
	stateDir  string
	bootID    string
	namespace uint64
	links     *rtnl.Listener
	frames    *afpacket.Sender
	slow      *afpacket.Slow
	programs  *ebpf.Programs
	words     *keepalive.Programs
	uppers    *iface.Kinds
	// following are aggregates that are being moved to another plane, by name.
	following sync.Map
	// auto and why are the choice where the team driver is not taken; noTeam is why it
	// never is, nil where the kernel has it.
	auto, why string
	noTeam    error
}

// newKernelWorld opens it, for the daemon or, where reads is set, for who changes nothing.
func newKernelWorld(stateDir string, reads bool, log *slog.Logger) (_ *kernelWorld, err error) {
	if err := mayAdminister(); err != nil {
		return nil, err
	}
	w := &kernelWorld{stateDir: stateDir, namespace: control.OwnNamespace(), programs: ebpf.NewPrograms(), words: keepalive.NewPrograms()}
	if w.bootID, err = bootclock.BootID(); err != nil {
		return nil, err
	}
	if w.links, err = rtnl.Open(); err != nil {
		return nil, err
	}
	if w.frames, err = afpacket.NewSender(); err != nil {
		return nil, errors.Join(err, w.links.Close())
	}
	if w.slow, err = afpacket.NewSlow(); err != nil {
		return nil, errors.Join(err, w.frames.Close(), w.links.Close())
	}
	if w.uppers, err = port.WatchUppers(); err != nil {
		return nil, errors.Join(err, w.slow.Close(), w.frames.Close(), w.links.Close())
	}
	w.auto, w.why = choosePlane(!reads)
	w.noTeam = team.Here("team")
	auto, why := w.AutoPlane(agg.Spec{})
	log.Debug("plane=auto", "plane", auto, "why", why)
	return w, nil
}

// dropDead removes what forwarded in network namespaces that have ended.
func dropDead(log *slog.Logger) {
	if err := ebpf.DropDead(""); err != nil {
		log.Warn("pins of network namespaces that have ended stay", "error", err)
	}
}

// mayAdminister refuses to start where nothing could be changed.
func mayAdminister() error {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&head, &data[0]); err != nil {
		return fmt.Errorf("read own capabilities: %w", err)
	}
	for _, c := range []struct {
		number int
		name   string
	}{{unix.CAP_NET_ADMIN, "CAP_NET_ADMIN"}, {unix.CAP_NET_RAW, "CAP_NET_RAW"}} {
		if data[0].Effective&(1<<c.number) == 0 {
			return &agg.Problem{Code: control.CodeNotPermitted, Object: "yoked", Rule: "needs " + c.name + " over its network namespace",
				Remedy: "run `sudo yoked`; `yoke demo` works without any privilege"}
		}
	}
	return nil
}

func (w *kernelWorld) Namespace() uint64     { return w.namespace }
func (w *kernelWorld) BootID() string        { return w.bootID }
func (w *kernelWorld) Links() engine.Links   { return kernelLinks{w.links} }
func (w *kernelWorld) Frames() engine.Frames { return w.frames }

// Slow implements world.
func (w *kernelWorld) Slow() engine.Slow { return kernelSlow{w.slow} }

// kernelSlow makes what speaks slow protocols an engine.Slow.
type kernelSlow struct{ slow *afpacket.Slow }

// Listen implements engine.Slow.
func (k kernelSlow) Listen() engine.Ear { return k.slow.Listen() }

// KeepAlive implements world.
func (w *kernelWorld) KeepAlive(plane string, _ agg.Spec) *keeper {
	if plane != "ebpf" && plane != "team" {
		return nil
	}
	return &keeper{options: keepalive.Options{Guarded: plane == "ebpf", Programs: w.words}}
}

// Stations implements world.
func (w *kernelWorld) Stations() engine.Stations { return kernelStations{} }
func (w *kernelWorld) Clock() engine.Clock       { return bootclock.Clock{} }

// Close implements world.
func (w *kernelWorld) Close() error {
	return errors.Join(w.links.Close(), w.frames.Close(), w.slow.Close(), w.uppers.Close())
}

// AutoPlane implements world.
func (w *kernelWorld) AutoPlane(spec agg.Spec) (name, why string) {
	if w.noTeam != nil {
		return w.auto, w.why
	}
	if unfit := team.Unfit(spec.Config()); unfit != "" {
		return w.auto, "the kernel's team driver " + unfit + "; " + w.why
	}
	return "team", "the kernel has the team driver, and it can do what is asked"
}

// OpenPlane implements world.
func (w *kernelWorld) OpenPlane(ctx context.Context, name string, spec agg.Spec) (engine.Plane, error) {
	c := spec.Config()
	switch name {
	case "ebpf":
		return opened(ebpf.Open(ctx, ebpf.Options{Name: c.Name, MAC: c.MAC, MTU: c.MTU, StateDir: w.stateDir, Uppers: w.uppers, Programs: w.programs, Follows: w.follows(c.Name)}))
	case "user":
		return opened(user.Open(ctx, user.Options{Name: c.Name, MAC: c.MAC, MTU: c.MTU, StateDir: w.stateDir, Uppers: w.uppers}))
	case "team":
		return opened(team.Open(ctx, team.Options{Name: c.Name, MAC: c.MAC, MTU: c.MTU, StateDir: w.stateDir, Uppers: w.uppers}))
	case "bonding":
		if err := bonding.Fit(spec); err != nil {
			return nil, err
		}
		return opened(bonding.Open(ctx, bonding.Options{Name: c.Name, MAC: c.MAC, MTU: c.MTU, StateDir: w.stateDir, Uppers: w.uppers}))
	default:
		return nil, &agg.Problem{Code: "no-plane", Object: c.Name, Option: "plane", Value: name, Rule: "forwards nothing on a real machine",
			Remedy: "leave it out, or try it with `yoked --dry eth1,eth2`"}
	}
}

// opened keeps a nil pointer from becoming an interface that is not nil.
func opened[P engine.Plane](p P, err error) (engine.Plane, error) {
	if err != nil {
		return nil, err
	}
	return p, nil
}

// ReadPlane implements world. A plane that does not outlive its daemon forwards nothing
// now, and neither does one whose device is gone.
func (w *kernelWorld) ReadPlane(ctx context.Context, name string, spec agg.Spec) (engine.Plane, error) {
	there, err := w.forwards(name, spec.Name)
	if err != nil {
		return nil, err
	}
	if !there {
		return gonePlane(name), nil
	}
	return w.OpenPlane(ctx, name, spec)
}

// forwards reports whether the device of an aggregate is there, on a plane that does
// without a daemon.
func (w *kernelWorld) forwards(plane, aggregate string) (bool, error) {
	switch plane {
	case "ebpf":
		pair, there, err := device.Find(aggregate)
		if err != nil || !there {
			return false, err
		}
		return true, pair.Close()
	case "user":
		return false, nil
	default:
		l, err := iface.ByName(aggregate, iface.Here)
		if iface.IsAbsent(err) {
			return false, nil
		}
		return err == nil && l.Kind == driverOf(plane), err
	}
}

// driverOf is the kind of a plane's device where a driver of the kernel makes it.
func driverOf(plane string) string {
	switch plane {
	case "team":
		return "team"
	case "bonding":
		return "bond"
	default:
		return "none"
	}
}

// Rename implements world.
func (w *kernelWorld) Rename(plane, from, to string) error {
	if plane == "ebpf" {
		if err := ebpf.Rename(ebpf.Options{Name: from}, to); err != nil {
			return err
		}
	}
	return device.Rename(from, to)
}

// CheckName implements world.
func (w *kernelWorld) CheckName(name, plane string) error {
	l, err := iface.ByName(name, iface.Here)
	if iface.IsAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if of, ours := device.AggregateOf(l.Alias); ours {
		return nameTaken(name, "the device of aggregate "+of)
	}
	if l.Kind == driverOf(plane) {
		return nil // the plane adopts it, with its ports
	}
	return nameTaken(name, "an interface")
}

// Stands implements world.
func (w *kernelWorld) Stands(name string) bool {
	_, err := iface.ByName(name, iface.Here)
	return err == nil
}

// Existing implements world.
func (w *kernelWorld) Existing(name, plane string) (agg.Spec, bool, error) {
	if plane != "bonding" {
		return agg.Spec{}, false, nil
	}
	return bonding.Found(name)
}

// CheckPort implements world. A port that the aggregate's device has already, of a plane
// that adopts it, is no stranger.
func (w *kernelWorld) CheckPort(aggregate, name string) error {
	if l, err := iface.ByName(name, iface.Here); err == nil && l.MasterIndex != 0 {
		if m, err := iface.ByIndex(l.MasterIndex, iface.Here); err == nil && m.Name == aggregate {
			return nil
		}
	}
	return port.Check(filepath.Join(w.stateDir, aggregate+port.Suffix), aggregate, name, w.uppers)
}

// TCPReordering implements world.
func (w *kernelWorld) TCPReordering(aggregate string) (int, error) {
	return device.TCPReordering(aggregate)
}

// kernelStations reads who speaks by an aggregate's device.
type kernelStations struct{}

// Stations implements engine.Stations.
func (kernelStations) Stations(_ context.Context, aggregate string) ([]agg.Station, error) {
	return device.Stations(aggregate)
}

// kernelLinks makes a listener an engine.Links.
type kernelLinks struct{ listener *rtnl.Listener }

// Read implements engine.Links.
func (k kernelLinks) Read(ctx context.Context, names []string) ([]agg.LinkFacts, error) {
	return k.listener.ReadFacts(ctx, names)
}

// Remember implements engine.Rememberer.
func (k kernelLinks) Remember(name string, index int) { k.listener.Remember(name, index) }

// Subscribe implements engine.Links.
func (k kernelLinks) Subscribe(s engine.Subscription) (wake <-chan struct{}, cancel func()) {
	return k.listener.Subscribe(s.Names, s.Poll, s.Adapt, s.UseCarrier)
}
