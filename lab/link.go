package lab

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// The functions of this file act in the namespace of the calling thread: they are for
// use inside space.do.

func setUp(name string) error { return setAdmin(name, true) }

func setAdmin(name string, up bool) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	change := netlink.LinkSetDown
	if up {
		change = netlink.LinkSetUp
	}
	if err := change(l); err != nil {
		return fmt.Errorf("set %s up=%v: %w", name, up, err)
	}
	return nil
}

// addPair makes a veth pair, one end here and the other in the namespace of fd.
func addPair(here string, there *os.File, thereName string) error {
	pair := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: here},
		PeerName:      thereName,
		PeerNamespace: netlink.NsFd(int(there.Fd())),
	}
	if err := netlink.LinkAdd(pair); err != nil {
		return fmt.Errorf("make veth pair %s - %s: %w", here, thereName, err)
	}
	return nil
}

func deleteLink(name string) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		if _, ok := errors.AsType[netlink.LinkNotFoundError](err); ok {
			return nil
		}
		return err
	}
	return netlink.LinkDel(l)
}

func addAddress(device, cidr string) error {
	l, err := netlink.LinkByName(device)
	if err != nil {
		return fmt.Errorf("find %s: %w", device, err)
	}
	a, err := netlink.ParseAddr(cidr)
	if err != nil {
		return fmt.Errorf("address %s: %w", cidr, err)
	}
	if a.IP.To4() == nil {
		a.Flags |= unix.IFA_F_NODAD // duplicate detection would delay every run
	}
	if err := netlink.AddrAdd(l, a); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("add %s to %s: %w", cidr, device, err)
	}
	return nil
}

func addRoute(destination, gateway string) error {
	r := &netlink.Route{Gw: net.ParseIP(gateway)}
	if destination != "default" {
		_, to, err := net.ParseCIDR(destination)
		if err != nil {
			return fmt.Errorf("route to %s: %w", destination, err)
		}
		r.Dst = to
	}
	if err := netlink.RouteReplace(r); err != nil {
		return fmt.Errorf("add route %s via %s: %w", destination, gateway, err)
	}
	return nil
}

// linkCounts are an interface's own counters.
type linkCounts struct{ tx, rx uint64 }

func readCounts(device string) (linkCounts, error) {
	l, err := netlink.LinkByName(device)
	if err != nil {
		return linkCounts{}, err
	}
	s := l.Attrs().Statistics
	if s == nil {
		return linkCounts{}, nil
	}
	return linkCounts{tx: s.TxPackets, rx: s.RxPackets}, nil
}

// setBridgePort sets one flag or number of a bridge port.
func setBridgePort(index, attribute int, value []byte) error {
	req := nl.NewNetlinkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK)
	msg := nl.NewIfInfomsg(unix.AF_BRIDGE)
	msg.Index = int32(index)
	req.AddData(msg)
	info := nl.NewRtAttr(unix.IFLA_PROTINFO|unix.NLA_F_NESTED, nil)
	info.AddRtAttr(attribute, value)
	req.AddData(info)
	_, err := req.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

func setBridgeFlag(index, attribute int, on bool) error {
	value := []byte{0}
	if on {
		value[0] = 1
	}
	return setBridgePort(index, attribute, value)
}

// setSysctl switches a network setting of the calling thread's namespace on.
func setSysctl(path string) error {
	return os.WriteFile("/proc/sys/net/"+path, []byte("1"), 0)
}
