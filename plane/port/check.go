package port

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/internal/clsact"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/plane/device"
)

// Check tells whether the named interface can be a port of the aggregate, and changes
// nothing. A refusal is an [agg.Problem] with the command that would free the
// interface. A port of this aggregate passes.
func (k *Keeper) Check(name string) error {
	return k.space.Do(func() error { return k.check(name) })
}

// Check is [Keeper.Check] for those who have no keeper: another one may be at work on the
// journal at path, so that it is read and what is begun there left alone. The uppers may be
// nil, as in [Keeper.Know].
func Check(path, aggregate, name string, uppers *iface.Kinds) error {
	k, err := open(path, aggregate)
	if err != nil {
		return err
	}
	k.Know(uppers)
	return errors.Join(k.Check(name), k.Close())
}

func (k *Keeper) check(name string) error {
	if err := agg.CheckName(name); err != nil {
		return &agg.Problem{Code: "invalid-name", Object: k.journal.Aggregate, Rule: "port: " + err.Error()}
	}
	l, err := iface.ByName(name, iface.Here)
	if iface.IsAbsent(err) || err == nil && l.Name != name {
		return k.absent(name)
	}
	if err != nil {
		return err
	}
	if r := k.record(l.Index); r != nil && !r.Pending() {
		return nil
	}
	c := checker{aggregate: k.journal.Aggregate}
	if c.links, err = k.related(l); err != nil {
		return err
	}
	for _, rule := range []func(iface.Link) *agg.Problem{c.kind, c.master, c.yokes, c.uppers} {
		if p := rule(l); p != nil {
			return p
		}
	}
	for _, rule := range []func(iface.Link) (*agg.Problem, error){k.elsewhere, addresses, routes} {
		p, err := rule(l)
		if err != nil {
			return err
		}
		if p != nil {
			return p
		}
	}
	if k.clsact {
		return clsact.Check(l.Index)
	}
	return nil
}

// checker holds the interfaces that one stands in some relation to, for rules about it.
type checker struct {
	aggregate string
	links     []iface.Link
}

// related reads the interfaces that l may belong to: its master, its peer or the one
// below, and those on top of others. A host may have thousands beside.
func (k *Keeper) related(l iface.Link) ([]iface.Link, error) {
	out, err := k.upperLinks()
	if err != nil {
		return nil, err
	}
	below := l.ParentIndex
	if l.NetNsID != iface.Here { // an index there may be anybody's here
		below = 0
	}
	for _, index := range []int{l.MasterIndex, below} {
		if index == 0 {
			continue
		}
		other, err := iface.ByIndex(index, iface.Here)
		if iface.IsAbsent(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, other)
	}
	return out, nil
}

// byIndex finds an interface of this namespace.
func (c checker) byIndex(index int) (iface.Link, bool) {
	for _, l := range c.links {
		if l.Index == index {
			return l, true
		}
	}
	return iface.Link{}, false
}

// maxNear is how many names a suggestion holds.
const maxNear = 3

func (k *Keeper) absent(name string) error {
	links, err := iface.All(iface.Here)
	if err != nil {
		return err
	}
	p := &agg.Problem{
		Code: "no-such-interface", Object: name, Rule: "there is no interface of this name",
		Remedy: "see which there are with `ip link`",
	}
	var names []string
	for _, l := range links {
		if l.Ethernet && l.Name != k.journal.Aggregate {
			names = append(names, l.Name)
		}
	}
	if close := agg.Near(name, names); len(close) > 0 {
		close = close[:min(len(close), maxNear)]
		p.Remedy = "did you mean " + strings.Join(close, " or ") + "?"
		p.Fixes = []agg.Fix{{Word: name, To: close[0]}}
	}
	return p
}

func (c checker) kind(l iface.Link) *agg.Problem {
	switch {
	case l.Flags&net.FlagLoopback != 0:
		return &agg.Problem{
			Code: "loopback", Object: l.Name, Rule: "is the loopback interface and cannot be a port",
			Remedy: "name an Ethernet interface, one of `ip link`",
		}
	case !l.Ethernet:
		return &agg.Problem{
			Code: "not-ethernet", Object: l.Name,
			Rule:   "is not an Ethernet device" + linkType(l.EncapType) + ", and cannot be a port",
			Remedy: notEthernetRemedy(l),
		}
	default:
		return nil
	}
}

// linkType names what a device carries instead of Ethernet, where the kernel does.
func linkType(encap string) string {
	if encap == "" || encap == "none" {
		return ""
	}
	return " (it carries " + encap + ")"
}

// notEthernetRemedy names a device that would do.
func notEthernetRemedy(l iface.Link) string {
	if l.Kind == "tun" {
		return fmt.Sprintf("a tap is one: `ip link delete %s && ip tuntap add %s mode tap`", l.Name, l.Name)
	}
	return "name one that `ip link` shows as `link/ether`"
}

// master refuses ports of bridges, bonds, teams and the like.
func (c checker) master(l iface.Link) *agg.Problem {
	if l.MasterIndex == 0 {
		return nil
	}
	what, remedy := "another device", fmt.Sprintf("`ip link set %s nomaster`", l.Name)
	if m, ok := c.byIndex(l.MasterIndex); ok {
		what = fmt.Sprintf("%s %s", m.Kind, m.Name)
		if m.Kind == "openvswitch" {
			remedy = "`ovs-vsctl del-port " + l.Name + "`"
		}
	}
	return &agg.Problem{Code: "port-busy", Object: l.Name, Rule: "is a port of " + what + " already", Remedy: remedy}
}

// yokes refuses both ends of the devices of aggregates.
func (c checker) yokes(l iface.Link) *agg.Problem {
	if aggregate, ok := device.AggregateOf(l.Alias); ok {
		return &agg.Problem{
			Code: "yokes-own", Object: l.Name, Rule: "is the inner end of aggregate " + aggregate,
			Remedy: "name the links that shall carry the traffic, of `ip link`",
		}
	}
	for _, inner := range c.links {
		aggregate, ok := device.AggregateOf(inner.Alias)
		if ok && inner.ParentIndex == l.Index && inner.NetNsID == iface.Here {
			return &agg.Problem{
				Code: "yokes-own", Object: l.Name, Rule: "is the device of aggregate " + aggregate + ", and aggregates do not stack",
				Remedy: fmt.Sprintf("its ports can be named instead after `yoke down %s`", aggregate),
			}
		}
	}
	return nil
}

// uppers refuses interfaces that others stand on and would be cut off: frames of a port
// go to the aggregate.
func (c checker) uppers(l iface.Link) *agg.Problem {
	for _, up := range c.links {
		if up.ParentIndex != l.Index || up.NetNsID != iface.Here {
			continue
		}
		switch up.Kind {
		case "vlan", "macvlan", "macvtap", "ipvlan", "ipvtap":
			return &agg.Problem{
				Code: "port-busy", Object: l.Name,
				Rule:   fmt.Sprintf("carries the %s interface %s, which would get no more frames", up.Kind, up.Name),
				Remedy: fmt.Sprintf("make it again on %s, after `ip link delete %s`", c.aggregate, up.Name),
			}
		}
	}
	return nil
}

// elsewhere refuses ports of other aggregates, by the journals beside ours.
func (k *Keeper) elsewhere(l iface.Link) (*agg.Problem, error) {
	if untouched(l) {
		return nil, nil
	}
	paths, err := filepath.Glob(filepath.Join(filepath.Dir(k.path), "*"+Suffix))
	if err != nil {
		return nil, err
	}
	boot, err := bootclock.BootID()
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		if filepath.Base(path) == filepath.Base(k.path) {
			continue
		}
		j, ok, err := loadWith(path, l.Index)
		if err != nil {
			return nil, err
		}
		if !ok || j.Boot != boot || j.Namespace != k.space.ID().Inode {
			continue
		}
		for _, r := range j.Ports {
			if r.Index == l.Index {
				return &agg.Problem{
					Code: "port-busy", Object: l.Name, Rule: "is a port of aggregate " + j.Aggregate + " already",
					Remedy: fmt.Sprintf("`yoke remove %s %s`", j.Aggregate, l.Name),
				}, nil
			}
		}
	}
	return nil, nil
}

// untouched: no aggregate can have the interface, since a take begins with the generation
// mode and sets the flag. It saves reading the journals of all aggregates, which may be
// hundreds, for each port.
func untouched(l iface.Link) bool {
	return l.GenMode >= 0 && l.GenMode != iface.GenModeNone && l.RawFlags&unix.IFF_ALLMULTI == 0
}

// addresses refuses interfaces that hold addresses other than the IPv6 link-local ones
// that the kernel makes by itself.
func addresses(l iface.Link) (*agg.Problem, error) {
	list, err := iface.Addresses(l.Index, iface.Here)
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, a := range list {
		if !isLinkLocal6(a.Prefix) {
			texts = append(texts, a.Prefix.String())
		}
	}
	if len(texts) == 0 {
		return nil, nil
	}
	return &agg.Problem{
		Code: "has-addresses", Object: l.Name,
		Rule:   "has " + plural(len(texts), "the address ", "the addresses ") + strings.Join(texts, ", ") + ", which would be cut off",
		Remedy: fmt.Sprintf("give the addresses to the aggregate, after `ip addr flush dev %s`", l.Name),
	}, nil
}

// routes refuses interfaces that routes lead through, other than those that the kernel
// makes for IPv6 link-local and multicast by itself.
func routes(l iface.Link) (*agg.Problem, error) {
	list, err := iface.Routes(l.Index)
	if err != nil {
		return nil, err
	}
	var texts []string
	family := "ip"
	for _, to := range list {
		if ownRoute(to) {
			continue
		}
		text := to.String()
		if to.Bits() == 0 {
			text = "default"
		}
		texts = append(texts, text)
		if to.Addr().Is6() {
			family = "ip -6"
		}
	}
	if len(texts) == 0 {
		return nil, nil
	}
	return &agg.Problem{
		Code: "has-routes", Object: l.Name,
		Rule:   "has " + plural(len(texts), "the route to ", "routes to ") + strings.Join(texts, ", ") + ", which would be cut off",
		Remedy: fmt.Sprintf("give the routes to the aggregate, after `%s route flush dev %s`", family, l.Name),
	}, nil
}

// ownRoute reports whether the kernel made the route by itself for IPv6.
func ownRoute(to netip.Prefix) bool {
	return to.Addr().Is6() && (to.Addr().IsLinkLocalUnicast() || to.Addr().IsMulticast())
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
