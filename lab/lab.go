package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
)

// patience bounds every wait for something that should happen at once.
const patience = 15 * time.Second

// Options are how a lab is run.
type Options struct {
	// Yoked is the daemon's binary; the running program where empty.
	Yoked string
	// Plane is used by aggregates that do not choose one themselves; "" means auto.
	Plane string
	// Progress gets a line for each step; nil means nobody listens.
	Progress io.Writer
	// Log gets the daemons' logs; nil means they are only shown when one fails.
	Log io.Writer
}

// Lab is a lab that stands.
type Lab struct {
	file     *File
	options  Options
	dir      string
	hosts    map[string]*host
	switches map[string]switchNode
	cables   map[string]*cable
	streams  int // opened so far
	reaper   *reaper
}

// host is a namespace and its daemon.
type host struct {
	name   string
	def    Host
	space  *space
	daemon *yoked // nil without aggregates
}

// Build makes everything of the file. On an error it takes down what it had made.
// The caller must Close the lab.
func Build(ctx context.Context, file *File, o Options) (*Lab, error) {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if o.Yoked == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find the daemon: %w", err)
		}
		o.Yoked = self
	}
	dir, err := os.MkdirTemp("", "yoke-lab-")
	if err != nil {
		return nil, fmt.Errorf("make run directory: %w", err)
	}
	w := &Lab{
		file: file, options: o, dir: dir,
		hosts: map[string]*host{}, switches: map[string]switchNode{}, cables: map[string]*cable{},
	}
	if err := w.assemble(ctx); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (l *Lab) assemble(ctx context.Context) error {
	for _, name := range sortedKeys(l.file.Switches) {
		s, err := l.newSwitch(ctx, name)
		if err != nil {
			return err
		}
		l.switches[name] = s
	}
	for _, name := range sortedKeys(l.file.Hosts) {
		s, err := newSpace(name)
		if err != nil {
			return err
		}
		l.hosts[name] = &host{name: name, def: l.file.Hosts[name], space: s}
	}
	if err := l.startReaper(); err != nil {
		return err
	}
	for _, name := range sortedKeys(l.file.Cables) {
		if err := l.lay(name); err != nil {
			return err
		}
	}
	// All hosts begin before any is waited for: carrier may need both ends of a path.
	for _, phase := range []func(context.Context, *host) error{l.beginHost, l.finishHost} {
		for _, name := range sortedKeys(l.hosts) {
			if err := phase(ctx, l.hosts[name]); err != nil {
				return fmt.Errorf("host %s: %w", name, err)
			}
		}
	}
	return nil
}

// startReaper is for labs with daemons, which leave something when they are killed.
func (l *Lab) startReaper() (err error) {
	var spaces []*space
	for _, h := range l.hosts {
		if len(h.def.Aggregates) > 0 {
			spaces = append(spaces, h.space)
		}
	}
	if len(spaces) > 0 {
		l.reaper, err = startReaper(l.options.Yoked, l.dir, spaces)
	}
	return err
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// lay connects a cable.
func (l *Lab) lay(name string) error {
	var ends [2]cableEndpoint
	for i, e := range l.file.Cables[name].Ends {
		if host, device, ok := strings.Cut(e, ":"); ok {
			ends[i] = cableEndpoint{node: host, device: device, space: l.hosts[host].space}
			continue
		}
		ends[i] = cableEndpoint{node: e, device: name, space: l.switches[e].where(), sw: l.switches[e]}
	}
	c, err := newCable(name, ends, l.needs(name))
	if err != nil {
		return err
	}
	l.cables[name] = c
	for _, e := range ends {
		if e.sw != nil {
			e.sw.track(c)
		}
	}
	return nil
}

// needs tells what the faults of the file ask of a cable.
func (l *Lab) needs(cable string) (n needs) {
	for _, f := range l.file.Faults {
		if f.Cable == cable {
			n.relay = n.relay || slices.Contains([]Action{Lose, Duplicate, Reorder, Delay, Rate}, f.Do)
			n.speed = n.speed || f.Do == Speed
		}
	}
	return n
}

// beginHost brings up a host's plain devices and starts its daemon.
func (l *Lab) beginHost(ctx context.Context, h *host) error {
	if h.def.Forward {
		if err := h.space.do(func() error { return setSysctl("ipv4/ip_forward") }); err != nil {
			return fmt.Errorf("forward: %w", err)
		}
	}
	if err := h.space.do(func() error { return l.raise(h) }); err != nil {
		return err
	}
	if len(h.def.Aggregates) == 0 {
		return nil
	}
	return l.launch(ctx, h)
}

// finishHost waits until a host's aggregates carry, and gives them their addresses.
func (l *Lab) finishHost(ctx context.Context, h *host) error {
	if h.daemon != nil {
		if err := l.awaitDaemon(ctx, h); err != nil {
			return err
		}
	}
	return h.space.do(func() error { return l.configure(h) })
}

// raise brings up the devices that are nobody's ports. It runs in the host's namespace.
func (l *Lab) raise(h *host) error {
	for _, name := range sortedKeys(l.cables) {
		for _, e := range l.cables[name].ends {
			if e.space == h.space && !h.isPort(e.device) {
				if err := setUp(e.device); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// configure brings up the plain devices and gives addresses and routes. It runs in the
// host's namespace, and may be repeated.
func (l *Lab) configure(h *host) error {
	if err := l.raise(h); err != nil {
		return err
	}
	for _, device := range sortedKeys(h.def.Addresses) {
		for _, a := range h.def.Addresses[device] {
			if err := addAddress(device, a); err != nil {
				return err
			}
		}
		if err := setUp(device); err != nil {
			return err
		}
	}
	for _, to := range sortedKeys(h.def.Routes) {
		if err := addRoute(to, h.def.Routes[to]); err != nil {
			return err
		}
	}
	return nil
}

func (h *host) isPort(device string) bool {
	for _, a := range h.def.Aggregates {
		if a.Spec.Port(device) >= 0 {
			return true
		}
	}
	return false
}

// startDaemon starts a host's yoked and waits until its aggregates have carrier.
func (l *Lab) startDaemon(ctx context.Context, h *host) error {
	if err := l.launch(ctx, h); err != nil {
		return err
	}
	return l.awaitDaemon(ctx, h)
}

// launch starts a host's yoked.
func (l *Lab) launch(ctx context.Context, h *host) error {
	if h.daemon == nil {
		d, err := newYoked(filepath.Join(l.dir, h.name), h, l.options)
		if err != nil {
			return err
		}
		h.daemon = d
	}
	return h.daemon.start(ctx)
}

func (l *Lab) awaitDaemon(ctx context.Context, h *host) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return h.daemon.waitReady(ctx)
}

// waitFor polls until ready is true. It is for states of the kernel that no one tells.
func waitFor(ctx context.Context, what string, ready func() (bool, error)) error {
	for {
		ok, err := ready()
		if err != nil {
			return err
		}
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, context.Cause(ctx))
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// Close takes the lab down: daemons first, then what they left, then the namespaces.
func (l *Lab) Close() error {
	var errs []error
	for _, name := range sortedKeys(l.hosts) {
		if h := l.hosts[name]; h.daemon != nil {
			errs = append(errs, h.daemon.takeDown())
		}
	}
	for _, b := range l.switches {
		b.halt() // it must not touch cables that are going
	}
	for _, c := range l.cables {
		c.close()
	}
	for _, h := range l.hosts {
		h.space.close()
	}
	for _, b := range l.switches {
		b.close()
	}
	errs = append(errs, os.RemoveAll(l.dir))
	if l.reaper != nil {
		errs = append(errs, l.reaper.close())
	}
	return errors.Join(errs...)
}

// say prints a progress line.
func (l *Lab) say(format string, args ...any) {
	fmt.Fprintf(l.options.Progress, format+"\n", args...)
}

// deviceIndex is a device's index in the calling thread's namespace, 0 where absent.
func deviceIndex(device string) int {
	l, err := netlink.LinkByName(device)
	if err != nil {
		return 0
	}
	return l.Attrs().Index
}
