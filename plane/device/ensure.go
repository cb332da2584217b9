package device

import (
	"errors"
	"fmt"
	"io/fs"
	"net"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/internal/netspace"
)

const (
	// innerMTU is the largest a veth takes: the inner end must never drop for its MTU.
	innerMTU = 65535
	// innerTxQueueLen is what the kernel gives a veth. The inner end has no queue
	// (noqueue); the number counts only if somebody adds a qdisc.
	innerTxQueueLen = 1000
)

// Options say how the aggregate's device should be.
type Options struct {
	// Name is the aggregate's name.
	Name string
	// MAC is its address; the zero MAC keeps what there is, or lets the kernel choose.
	MAC agg.MAC
	// MTU is in bytes; 0 keeps what there is, or 1500.
	MTU int
}

// Ensure creates the aggregate's device in the calling thread's namespace, or adopts
// the one that is there. A new device has MAC and MTU where they are given, and is up and
// without carrier; an adopted one keeps all as it is, since somebody may have changed it
// meanwhile. A name that something else has is refused with an [agg.Problem].
func Ensure(o Options) (*Pair, error) {
	if err := agg.CheckName(o.Name); err != nil {
		return nil, &agg.Problem{Code: "invalid-name", Object: "aggregate", Rule: err.Error()}
	}
	space, err := netspace.Current()
	if err != nil {
		return nil, err
	}
	p, err := ensure(o)
	if err != nil {
		space.Close()
		return nil, err
	}
	p.space = space
	return p, nil
}

func ensure(o Options) (*Pair, error) {
	p, found, err := find(o.Name)
	if err != nil {
		return nil, err
	}
	if !found {
		if err := checkFree(o.Name); err != nil {
			return nil, err
		}
		if p, err = create(o); err != nil {
			return nil, fmt.Errorf("create the device of %s: %w", o.Name, err)
		}
		p.Made = true
	}
	if err := prepareInner(p); err != nil {
		err = fmt.Errorf("prepare the inner end of %s: %w", o.Name, err)
		if !found {
			err = errors.Join(err, iface.Delete(p.Inner))
		}
		return nil, err
	}
	return p, nil
}

// checkFree refuses names that are taken by something that is not ours.
func checkFree(name string) error {
	for _, taken := range []string{name, InnerName(name)} {
		_, err := iface.ByName(taken, iface.Here)
		if err == nil {
			return notOurs(name, taken)
		}
		if !iface.IsAbsent(err) {
			return err
		}
	}
	return nil
}

func notOurs(aggregate, taken string) *agg.Problem {
	remedy := fmt.Sprintf("choose another name for the aggregate, or remove it: `ip link delete %s`", taken)
	if taken != aggregate {
		remedy = fmt.Sprintf("rename it: `ip link set %s name NEWNAME`", taken)
	}
	return &agg.Problem{
		Code: "device-exists", Object: taken,
		Rule: fmt.Sprintf("exists and is not Yoke's, so aggregate %s cannot have the name", aggregate), Remedy: remedy,
	}
}

func create(o Options) (*Pair, error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU, attrs.Flags = o.Name, o.MTU, net.FlagUp
	if !o.MAC.IsZero() {
		attrs.HardwareAddr = net.HardwareAddr(o.MAC[:])
	}
	veth := netlink.NewVeth(attrs)
	veth.PeerName, veth.PeerMTU, veth.PeerTxQLen = InnerName(o.Name), innerMTU, innerTxQueueLen
	if err := netlink.LinkAdd(veth); err != nil {
		return nil, err
	}
	inner, err := iface.ByName(InnerName(o.Name), iface.Here)
	if err != nil {
		return nil, err
	}
	p := &Pair{Name: o.Name, InnerName: inner.Name, Inner: inner.Index}
	p.follow(inner)
	return p, nil
}

// prepareInner makes the inner end silent, before it is ever up, and again on adoption.
// Disabling IPv6 by sysctl is best effort: /proc/sys may be read-only or IPv6 absent,
// and without a link-local address (the generation mode) the end is silent too.
func prepareInner(p *Pair) error {
	err := iface.SetSysctl("ipv6", p.InnerName, "disable_ipv6", "1")
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, unix.EROFS) {
		return err
	}
	l, err := iface.ByIndex(p.Inner, iface.Here)
	if err != nil {
		return err
	}
	if l.GenMode >= 0 && l.GenMode != iface.GenModeNone {
		if err := iface.Change(p.Inner).GenMode(iface.GenModeNone).Do(); err != nil {
			return err
		}
	}
	if l.MTU != innerMTU {
		if err := iface.Change(p.Inner).MTU(innerMTU).Do(); err != nil {
			return err
		}
	}
	return iface.Change(p.Inner).Flag(unix.IFF_NOARP, true).Alias(aliasPrefix + p.Name).Do()
}
