package selftests

import (
	"net"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// subject is who is tested: it makes bond0 of eth1 and more in the namespace Here of a rig.
type subject interface {
	// up makes bond0 by words of the table, down removes it.
	up(mode string, words []string)
	down()
	set(words []string)
	// active names the active port, empty for none. state is "up", "rising" or "down".
	active() string
	state(port string) string
}

// kinds are the subjects, with what each needs of the kernel and the modes it has.
func kinds() []kind {
	ours := []string{"balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad"}
	all := append([]string{"balance-tlb", "balance-alb"}, ours...)
	out := []kind{{"driver", []string{"bonding"}, all}}
	plane, _ := agg.Lookup("plane", agg.OfAggregate)
	for _, k := range []kind{
		{"ebpf", []string{"bpf", "bpffs"}, ours}, {"user", nil, ours}, {"team", []string{"team"}, ours}, {"bonding", []string{"bonding"}, all},
	} {
		if slices.ContainsFunc(plane.Values, func(v agg.EnumValue) bool { return v.Text == k.name && !v.NotBuilt }) {
			out = append(out, k)
		}
	}
	return out
}

type kind struct {
	name  string
	needs []string
	modes []string
}

// newSubject starts what the subject consists of.
func (k kind) newSubject(r *rig.Rig) subject {
	if k.name == "driver" {
		return &driver{r: r}
	}
	r.Start()
	return &plane{r: r, name: k.name}
}

// isPort tells a port, with options, from an option.
func isPort(word string) bool { return strings.HasPrefix(word, "eth") }

// driver is the kernel's bonding driver, by ip.
type driver struct {
	r     *rig.Rig
	ports []string
}

func (d *driver) ip(words ...string) string {
	d.r.T.Helper()
	return nstest.Command(d.r.T, d.r.Here, "ip", words...)
}

// driverWords are those of a table without what the kernel's driver may be too old to be
// told, where the table asks for what it does anyhow.
func driverWords(words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "lacp_strict=off" })
}

// ipWords are options as ip names them.
func ipWords(words []string) (out []string) {
	names := map[string]string{"peer_notif_delay": "peer_notify_delay"}
	for _, w := range driverWords(words) {
		name, value, _ := strings.Cut(w, "=")
		if other, ok := names[name]; ok {
			name = other
		}
		out = append(out, name, value)
	}
	return out
}

func (d *driver) up(mode string, words []string) {
	d.r.T.Helper()
	var options, ports []string
	for _, w := range words {
		if isPort(w) {
			ports = append(ports, w)
		} else {
			options = append(options, w)
		}
	}
	// primary names a port, which there must be.
	later := slices.DeleteFunc(slices.Clone(options), func(w string) bool { return !strings.HasPrefix(w, "primary=") })
	options = slices.DeleteFunc(options, func(w string) bool { return strings.HasPrefix(w, "primary=") })
	d.ip(append([]string{"link", "add", "bond0", "type", "bond", "mode", mode}, ipWords(options)...)...)
	d.ports = nil
	for _, p := range ports {
		name, _, _ := strings.Cut(p, ",")
		d.ports = append(d.ports, name)
		d.ip("link", "set", name, "down")
		d.ip("link", "set", name, "master", "bond0")
	}
	if len(later) > 0 {
		d.set(later)
	}
	for _, p := range ports {
		if strings.Contains(p, ",") {
			d.set([]string{p})
		}
	}
	d.ip("link", "set", "bond0", "up")
}

func (d *driver) down() {
	d.r.T.Helper()
	d.ip("link", "del", "bond0")
	for _, p := range d.ports {
		d.ip("link", "set", p, "up")
	}
}

func (d *driver) set(words []string) {
	d.r.T.Helper()
	var options []string
	for _, w := range words {
		if !isPort(w) {
			options = append(options, w)
			continue
		}
		port, option, _ := strings.Cut(w, ",")
		d.ip(append([]string{"link", "set", port, "type", "bond_slave"}, ipWords([]string{option})...)...)
	}
	if len(options) > 0 {
		d.ip(append([]string{"link", "set", "bond0", "type", "bond"}, ipWords(options)...)...)
	}
}

func (d *driver) active() string {
	d.r.T.Helper()
	bond, ok := d.r.Here.Link("bond0").(*netlink.Bond)
	if !ok || bond.ActiveSlave <= 0 {
		return ""
	}
	port, err := d.r.Here.Handle().LinkByIndex(bond.ActiveSlave)
	if err != nil {
		d.r.T.Fatal(err)
	}
	return port.Attrs().Name
}

func (d *driver) state(port string) string {
	d.r.T.Helper()
	p, ok := d.r.Here.Link(port).Attrs().Slave.(*netlink.BondSlave)
	switch {
	case ok && p.MiiStatus == netlink.BondLinkUp:
		return "up"
	case ok && p.MiiStatus == netlink.BondLinkBack:
		return "rising"
	default:
		return "down"
	}
}

// plane is Yoke on one of its planes, by the real programs.
type plane struct {
	r    *rig.Rig
	name string
}

func (p *plane) up(mode string, words []string) {
	p.r.T.Helper()
	if p.name == "bonding" {
		words = driverWords(words)
	}
	p.r.Must(append([]string{"up", "bond0", "plane=" + p.name, "mode=" + mode}, words...)...)
	if got := p.r.Status().Plane; got != p.name {
		p.r.T.Fatalf("the plane is %s", got)
	}
	p.r.Here.SetUp("bond0")
}

func (p *plane) down() { p.r.T.Helper(); p.r.Must("down", "bond0") }

func (p *plane) set(words []string) {
	p.r.T.Helper()
	p.r.Must(append([]string{"set", "bond0"}, words...)...)
}

func (p *plane) active() string { return p.r.Look().Active }

func (p *plane) state(port string) string {
	p.r.T.Helper()
	s := p.r.Look()
	i := slices.IndexFunc(s.Ports, func(x agg.PortStatus) bool { return x.Name == port })
	if i < 0 {
		return "down"
	}
	for _, g := range s.Ports[i].Gates {
		switch {
		case g.Name == agg.GateWatch && !g.OK && strings.Contains(g.Reason, "updelay"):
			return "rising"
		case (g.Name == agg.GatePresent || g.Name == agg.GateAdmin || g.Name == agg.GateCarrier || g.Name == agg.GateWatch) && !g.OK:
			return "down"
		}
	}
	return "up"
}

// accepts reports whether an interface takes frames to an address: by its list, or because
// it takes all.
func accepts(r *rig.Rig, port, address string) bool {
	r.T.Helper()
	var l iface.Link
	var err error
	r.Here.Do(func() { l, err = iface.ByName(port, iface.Here) })
	if err != nil {
		r.T.Fatal(err)
	}
	listed := nstest.Command(r.T, r.Here, "bridge", "fdb", "show", "dev", port) + nstest.Command(r.T, r.Here, "ip", "maddr", "show", "dev", port)
	group, _ := net.ParseMAC(address)
	all := l.Promiscuity > 0 || len(group) == 6 && group[0]&1 == 1 && l.RawFlags&unix.IFF_ALLMULTI != 0
	return all || strings.Contains(listed, address)
}
