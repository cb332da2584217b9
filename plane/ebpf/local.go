package ebpf

import (
	"context"
	"net"

	"github.com/vishvananda/netlink"

	"github.com/yokelag/yoke/agg"
)

type pair struct {
	Name, InnerName string
	Outer, Inner    int
}

func ensurePair(o Options) (*pair, error) {
	p := &pair{Name: o.Name, InnerName: "yk-" + o.Name}
	l, err := netlink.LinkByName(p.Name)
	if err != nil {
		a := netlink.NewLinkAttrs()
		a.Name = p.Name
		a.MTU = o.MTU
		if !o.MAC.IsZero() {
			a.HardwareAddr = o.MAC[:]
		}
		if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: a, PeerName: p.InnerName, PeerMTU: 65535}); err != nil {
			return nil, err
		}
		if l, err = netlink.LinkByName(p.Name); err != nil {
			return nil, err
		}
	}
	in, err := netlink.LinkByName(p.InnerName)
	if err != nil {
		return nil, err
	}
	p.Outer, p.Inner = l.Attrs().Index, in.Attrs().Index
	return p, netlink.LinkSetUp(in)
}

func (p *pair) inner() netlink.Link {
	a := netlink.NewLinkAttrs()
	a.Index = p.Inner
	return &netlink.Device{LinkAttrs: a}
}

func (p *pair) outer() netlink.Link {
	a := netlink.NewLinkAttrs()
	a.Index = p.Outer
	return &netlink.Device{LinkAttrs: a}
}

func (p *pair) SetCarrier(up bool) error {
	if up {
		return netlink.LinkSetUp(p.inner())
	}
	return netlink.LinkSetDown(p.inner())
}

func (p *pair) SetMAC(m agg.MAC) error {
	return netlink.LinkSetHardwareAddr(p.outer(), net.HardwareAddr(m[:]))
}
func (p *pair) SetMTU(n int) error { return netlink.LinkSetMTU(p.outer(), n) }
func (p *pair) Delete() error      { return netlink.LinkDel(p.inner()) }

func (p *pair) Facts() (agg.DeviceFacts, error) {
	l, err := netlink.LinkByIndex(p.Outer)
	if err != nil {
		return agg.DeviceFacts{Elsewhere: true}, nil
	}
	return agg.DeviceFacts{Present: true, Index: p.Outer, Carrier: l.Attrs().RawFlags&0x10000 != 0}, nil
}

type keeper struct{ taken map[string]int }

type record struct {
	Name  string
	Index int
}

type want struct {
	MAC agg.MAC
	MTU int
}

func openKeeper(string, string) (*keeper, error) { return &keeper{taken: map[string]int{}}, nil }

func (k *keeper) Take(_ context.Context, name string, w want) (int, error) {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return 0, err
	}
	if !w.MAC.IsZero() {
		if err := netlink.LinkSetHardwareAddr(l, w.MAC[:]); err != nil {
			return 0, err
		}
	}
	k.taken[name] = l.Attrs().Index
	return l.Attrs().Index, netlink.LinkSetUp(l)
}

func (k *keeper) Release(_ context.Context, name string) error { delete(k.taken, name); return nil }
func (k *keeper) Taken() []record {
	var out []record
	for n, i := range k.taken {
		out = append(out, record{n, i})
	}
	return out
}
