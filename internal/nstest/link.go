package nstest

import (
	"net"
	"time"

	"github.com/vishvananda/netlink"
)

// Veth makes a veth pair: a in n, b in peer (which may be n), both up, and waits until the
// kernel has noticed their carrier: where both have the same number that takes a second.
func (n *NS) Veth(a string, peer *NS, b string) {
	n.t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = a
	pair := &netlink.Veth{LinkAttrs: attrs, PeerName: b, PeerNamespace: netlink.NsFd(peer.FD())}
	if err := n.handle.LinkAdd(pair); err != nil {
		n.t.Fatalf("veth pair %s-%s: %v", a, b, err)
	}
	n.SetUp(a)
	peer.SetUp(b)
	Eventually(n.t, 10*time.Second, func() bool { return n.operational(a) && peer.operational(b) }, "the carrier of %s and %s", a, b)
}

func (n *NS) operational(name string) bool {
	return n.Link(name).Attrs().OperState == netlink.OperUp
}

// Bridge makes a bridge of the named ports, up, with learning and without spanning tree.
func (n *NS) Bridge(name string, ports ...string) {
	n.t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	if err := n.handle.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}); err != nil {
		n.t.Fatalf("bridge %s: %v", name, err)
	}
	for _, port := range ports {
		if err := n.handle.LinkSetMaster(n.Link(port), n.Link(name)); err != nil {
			n.t.Fatalf("bridge %s: port %s: %v", name, port, err)
		}
	}
	n.SetUp(name)
}

// Link returns the named interface as the kernel has it now.
func (n *NS) Link(name string) netlink.Link {
	n.t.Helper()
	l, err := n.handle.LinkByName(name)
	if err != nil {
		n.t.Fatalf("interface %s: %v", name, err)
	}
	return l
}

// Has reports whether the interface exists.
func (n *NS) Has(name string) bool {
	_, err := n.handle.LinkByName(name)
	return err == nil
}

// Index returns the interface's ifindex.
func (n *NS) Index(name string) int {
	n.t.Helper()
	return n.Link(name).Attrs().Index
}

// MAC returns the interface's Ethernet address.
func (n *NS) MAC(name string) net.HardwareAddr {
	n.t.Helper()
	return n.Link(name).Attrs().HardwareAddr
}

// SetUp sets the interface administratively up.
func (n *NS) SetUp(name string) {
	n.t.Helper()
	if err := n.handle.LinkSetUp(n.Link(name)); err != nil {
		n.t.Fatalf("set %s up: %v", name, err)
	}
}

// SetDown sets the interface administratively down. On one end of a veth pair this
// takes the carrier of the other: a pulled cable.
func (n *NS) SetDown(name string) {
	n.t.Helper()
	if err := n.handle.LinkSetDown(n.Link(name)); err != nil {
		n.t.Fatalf("set %s down: %v", name, err)
	}
}

// Delete removes the interface.
func (n *NS) Delete(name string) {
	n.t.Helper()
	if err := n.handle.LinkDel(n.Link(name)); err != nil {
		n.t.Fatalf("delete %s: %v", name, err)
	}
}

// AddAddr gives the interface an address, as "192.0.2.1/24" or "2001:db8::1/64".
// Duplicate address detection is left out, so the address works at once.
func (n *NS) AddAddr(name, prefix string) {
	n.t.Helper()
	addr, err := netlink.ParseAddr(prefix)
	if err != nil {
		n.t.Fatalf("address %s: %v", prefix, err)
	}
	if addr.IP.To4() == nil {
		addr.Flags |= ifaFlagNoDAD
	}
	if err := n.handle.AddrAdd(n.Link(name), addr); err != nil {
		n.t.Fatalf("address %s on %s: %v", prefix, name, err)
	}
}

// ifaFlagNoDAD is IFA_F_NODAD of linux/if_addr.h.
const ifaFlagNoDAD = 0x02
