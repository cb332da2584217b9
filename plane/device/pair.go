package device

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/internal/netspace"
)

// Pair is the device of one aggregate. Its methods act on the namespace it was found
// in, from any goroutine, one at a time.
type Pair struct {
	// Name is the aggregate's name, and the outer end's unless somebody renamed it.
	Name string
	// InnerName is the name of the hidden end.
	InnerName string
	// Outer and Inner are ifindexes. Outer counts in the outer end's own namespace.
	Outer, Inner int
	// Elsewhere is set when the outer end is in another network namespace.
	Elsewhere bool
	// Made is set when Ensure has made it, and did not find it.
	Made bool

	space *netspace.Space
	nsid  int // of the outer end's namespace, iface.Here where it is ours
}

// Find looks for the aggregate's device in the calling thread's namespace, by its inner
// end. The bool is false where there is none.
func Find(name string) (*Pair, bool, error) {
	space, err := netspace.Current()
	if err != nil {
		return nil, false, err
	}
	p, found, err := find(name)
	if err != nil || !found {
		space.Close()
		return nil, false, err
	}
	p.space = space
	return p, true, nil
}

func find(name string) (*Pair, bool, error) {
	inner, err := iface.ByName(InnerName(name), iface.Here)
	if iface.IsAbsent(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("find the device of %s: %w", name, err)
	}
	p := &Pair{Name: name, InnerName: inner.Name, Inner: inner.Index}
	p.follow(inner)
	ours, err := p.isOurs(inner)
	if err != nil || !ours {
		return nil, false, err
	}
	return p, true, nil
}

// follow notes where the inner end says that the outer end is.
func (p *Pair) follow(inner iface.Link) {
	p.Outer, p.nsid = inner.ParentIndex, inner.NetNsID
	p.Elsewhere = p.nsid != iface.Here
}

// isOurs tells our inner end from a stranger of the same name: it is a veth, and either
// has our alias, or has none yet (a creation that was cut short) and our outer end.
func (p *Pair) isOurs(inner iface.Link) (bool, error) {
	if inner.Kind != "veth" {
		return false, nil
	}
	if aggregate, ok := AggregateOf(inner.Alias); ok {
		return aggregate == p.Name, nil
	}
	if inner.Alias != "" {
		return false, nil
	}
	outer, err := iface.ByIndex(p.Outer, p.nsid)
	if iface.IsAbsent(err) {
		return false, nil
	}
	return err == nil && outer.Name == p.Name, err
}

// Refresh reads again where the outer end is. Facts does it by itself.
func (p *Pair) Refresh() error {
	return p.do("look at", func() error {
		inner, err := iface.ByIndex(p.Inner, iface.Here)
		if err == nil {
			p.follow(inner)
		}
		return err
	})
}

// SetCarrier gives the outer end carrier, or takes it away.
func (p *Pair) SetCarrier(up bool) error {
	return p.do("set the carrier of", func() error {
		return iface.Change(p.Inner).Flag(unix.IFF_UP, up).Do()
	})
}

// SetMAC sets the address of the outer end, where it is another: the kernel forgets all
// neighbours of a device whose address is set, be it to the same.
func (p *Pair) SetMAC(mac agg.MAC) error {
	return p.outer("set the address of", func(now iface.Link, s *iface.Set) bool {
		s.MAC(mac[:])
		return !bytes.Equal(now.HardwareAddr, mac[:])
	})
}

// SetMTU sets the MTU of the outer end, in bytes, where it is another.
func (p *Pair) SetMTU(mtu int) error {
	return p.outer("set the MTU of", func(now iface.Link, s *iface.Set) bool {
		s.MTU(mtu)
		return now.MTU != mtu
	})
}

// outer changes the outer end, wherever it is now. The change tells whether there is
// something to do.
func (p *Pair) outer(what string, change func(iface.Link, *iface.Set) bool) error {
	if err := p.Refresh(); err != nil {
		return err
	}
	return p.do(what, func() error {
		now, err := iface.ByIndex(p.Outer, p.nsid)
		if err != nil {
			return err
		}
		s := iface.Change(p.Outer)
		if !change(now, s) {
			return nil
		}
		return p.atOuter(s.Do)
	})
}

// Facts reads the outer end as it is now. A device that is gone has Present false; that
// is not an error. Addresses are the global and link-local unicast ones that may be
// used already.
func (p *Pair) Facts() (agg.DeviceFacts, error) {
	var f agg.DeviceFacts
	err := p.Refresh()
	if err == nil {
		err = p.do("read", func() (err error) {
			f, err = p.facts()
			return err
		})
	}
	if iface.IsAbsent(err) {
		return agg.DeviceFacts{}, nil
	}
	return f, err
}

func (p *Pair) facts() (agg.DeviceFacts, error) {
	l, err := iface.ByIndex(p.Outer, p.nsid)
	if err != nil {
		return agg.DeviceFacts{}, err
	}
	f := agg.DeviceFacts{
		Present: true, Name: l.Name, Index: l.Index, AdminUp: l.AdminUp(), Carrier: l.Carrier,
		MTU: l.MTU, Elsewhere: p.Elsewhere, Promiscuous: l.Promiscuity > 0,
	}
	if p.Elsewhere {
		f.Name = shown(l.Name) // whoever is there gave it
	}
	copy(f.MAC[:], l.HardwareAddr)
	addresses, err := iface.Addresses(p.Outer, p.nsid)
	if err != nil {
		return agg.DeviceFacts{}, err
	}
	for _, a := range addresses {
		if ip := a.Prefix.Addr(); a.Usable() && announced(ip) {
			f.Addresses = append(f.Addresses, ip)
		}
	}
	return f, nil
}

// announced reports whether neighbours may hold a cache entry for the address.
func announced(ip netip.Addr) bool { return ip.IsGlobalUnicast() || ip.IsLinkLocalUnicast() }

// Delete removes both ends, wherever the outer one is. A pair that is gone already is
// no error.
func (p *Pair) Delete() error {
	err := p.do("delete", func() error { return iface.Delete(p.Inner) })
	if iface.IsAbsent(err) {
		err = nil
	}
	return errors.Join(err, p.space.Close())
}

// do runs fn in the pair's namespace and names what failed.
func (p *Pair) do(what string, fn func() error) error {
	if err := p.space.Do(fn); err != nil {
		return fmt.Errorf("%s the device of %s: %w", what, p.Name, err)
	}
	return nil
}

// Close lets go of the namespace and leaves the device as it is.
func (p *Pair) Close() error { return p.space.Close() }
