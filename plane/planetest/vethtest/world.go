package vethtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/ethtool"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/plane/planetest"
)

// Setup is what a plane needs to be opened.
type Setup struct {
	// Name is the aggregate, StateDir a directory of the harness's own.
	Name, StateDir string
}

// Opener opens the plane under test. It runs in the namespace of the ports.
type Opener func(ctx context.Context, s Setup) (planetest.Plane, error)

// World returns the world for a plane. Tests skip by name where root or veth is missing.
func World(open Opener) planetest.New {
	return func(t *testing.T, ports []string) planetest.Harness {
		t.Helper()
		return newHarness(t, open, ports)
	}
}

// harness implements planetest.Harness.
type harness struct {
	open  Opener
	setup Setup
	host  *nstest.NS
	far   *nstest.NS
	// ends are the far ends by port, bond is the aggregate's own device.
	ends map[string]*end
	bond *end
	// given are frames that were not awaited any longer, backlog what the backlog queues
	// had dropped when Excused was asked last.
	given   map[string]bool
	backlog int
	// plane is the last one opened, nil after its Destroy.
	plane *located
}

func newHarness(t *testing.T, open Opener, ports []string) *harness {
	t.Helper()
	nstest.Require(t, "root", "veth")
	h := &harness{
		open: open, setup: Setup{Name: "bond0", StateDir: t.TempDir()},
		host: nstest.New(t), far: nstest.New(t), ends: map[string]*end{}, given: map[string]bool{},
	}
	for _, ns := range []*nstest.NS{h.host, h.far} {
		silence(t, ns)
	}
	for _, port := range ports {
		h.Create(t, port)
	}
	t.Cleanup(func() { h.takeApart(t) })
	return h
}

// silence keeps IPv6 of a namespace from sending frames that nobody asked for. A
// kernel without IPv6 is silent.
func silence(t *testing.T, ns *nstest.NS) {
	t.Helper()
	ns.Do(func() {
		for _, scope := range []string{"all", "default"} {
			if err := iface.SetSysctl("ipv6", scope, "disable_ipv6", "1"); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
	})
}

// takeApart destroys the aggregate where the test has not.
func (h *harness) takeApart(t *testing.T) {
	if h.plane == nil {
		return
	}
	if h.plane.closed {
		h.Open(t)
	}
	if err := h.plane.Destroy(context.Background()); err != nil {
		t.Errorf("take the aggregate apart after the test: %v", err)
	}
}

// Open implements planetest.Harness. The aggregate's device is set up, as an operator
// would.
func (h *harness) Open(t *testing.T) planetest.Plane {
	t.Helper()
	var p planetest.Plane
	err := h.host.Run(func() (err error) { p, err = h.open(context.Background(), h.setup); return err })
	if err != nil {
		t.Fatal(err)
	}
	h.plane = &located{Plane: p, h: h}
	h.host.SetUp(h.setup.Name)
	if h.bond == nil || h.bond.index != h.host.Index(h.setup.Name) {
		h.bond = openEnd(t, h.host, h.setup.Name, h.given)
	}
	return h.plane
}

// Link implements planetest.Harness.
func (h *harness) Link(t *testing.T, port string) agg.LinkFacts {
	t.Helper()
	f := agg.LinkFacts{Name: port}
	h.host.Do(func() {
		l, err := iface.ByName(port, iface.Here)
		if iface.IsAbsent(err) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Index, f.Present, f.AdminUp, f.Carrier, f.MTU = l.Index, true, l.AdminUp(), l.Carrier, l.MTU
		copy(f.MAC[:], l.HardwareAddr)
		tool, err := ethtool.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer tool.Close()
		if s, err := tool.Settings(port); err == nil {
			f.Speed, f.FullDuplex = s.Speed, s.FullDuplex
		}
	})
	return f
}

// SetCarrier implements planetest.Harness.
func (h *harness) SetCarrier(t *testing.T, port string, up bool) {
	t.Helper()
	if up {
		h.far.SetUp(farName(port))
	} else {
		h.far.SetDown(farName(port))
	}
	nstest.Eventually(t, patience, func() bool { return h.Link(t, port).Carrier == up }, "carrier %v of %s", up, port)
}

// Delete implements planetest.Harness.
func (h *harness) Delete(t *testing.T, port string) {
	t.Helper()
	h.host.Delete(port)
	delete(h.ends, port)
}

// Create implements planetest.Harness.
func (h *harness) Create(t *testing.T, port string) {
	t.Helper()
	h.host.Veth(port, h.far, farName(port))
	h.ends[port] = openEnd(t, h.far, farName(port), h.given)
	nstest.Eventually(t, patience, func() bool { return h.Link(t, port).Carrier }, "carrier of %s", port)
}

func farName(port string) string { return "far-" + port }

// Snapshot implements planetest.Harness: the links, group memberships, qdiscs and
// filters of the ports' namespace. Counters are not in it.
func (h *harness) Snapshot(t *testing.T) string {
	t.Helper()
	nstest.Eventually(t, patience, h.settled, "the links to settle")
	groups := strings.SplitAfter(nstest.Command(t, h.host, "ip", "maddr", "show"), "\n")
	slices.Sort(groups) // the kernel keeps no order of them
	// One program for all questions: in an emulated machine starting one takes long. The qdiscs
	// are asked for each time, to tell the answers apart.
	batch := filepath.Join(t.TempDir(), "snapshot.tc")
	var questions strings.Builder
	for port := range sorted(h.ends) {
		for _, hook := range []string{"ingress", "egress"} {
			fmt.Fprintf(&questions, "qdisc show dev %s\nfilter show dev %s %s\n", port, port, hook)
		}
	}
	questions.WriteString("qdisc show\n")
	if err := os.WriteFile(batch, []byte(questions.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return strings.Join([]string{
		nstest.Command(t, h.host, "ip", "-d", "link", "show"), strings.Join(groups, ""), nstest.Command(t, h.host, "tc", "-batch", batch),
	}, "#\n")
}

// settled reports whether the kernel shows every link as its carrier is.
func (h *harness) settled() bool {
	links, err := h.host.Handle().LinkList()
	for _, l := range links {
		a := l.Attrs()
		if a.RawFlags&unix.IFF_LOOPBACK == 0 && (a.RawFlags&unix.IFF_LOWER_UP != 0) != (a.OperState == netlink.OperUp) {
			return false
		}
	}
	return err == nil
}

// located calls a plane in the namespace it was opened in.
type located struct {
	planetest.Plane
	h      *harness
	closed bool
}

func (l *located) Apply(ctx context.Context, p agg.Plan) error {
	return l.h.host.Run(func() error { return l.Plane.Apply(ctx, p) })
}

func (l *located) Observe(ctx context.Context) (f agg.Facts, err error) {
	err = l.h.host.Run(func() (err error) { f, err = l.Plane.Observe(ctx); return err })
	return f, err
}

func (l *located) Close() error {
	l.closed = true
	return l.h.host.Run(l.Plane.Close)
}

func (l *located) Destroy(ctx context.Context) error {
	err := l.h.host.Run(func() error { return l.Plane.Destroy(ctx) })
	if l.h.plane == l {
		l.h.plane = nil
	}
	return err
}

var _ planetest.Harness = (*harness)(nil)

// ethAll is ETH_P_ALL in network order.
const ethAll = unix.ETH_P_ALL<<8&0xff00 | unix.ETH_P_ALL>>8
