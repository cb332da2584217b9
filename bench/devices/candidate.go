package main

import (
	"fmt"

	"github.com/vishvananda/netlink"
)

// candidate is one way to make the aggregate's device. build makes it in the current
// namespace beside the port p0 and returns its name and where programs go.
type candidate struct {
	name  string
	build func(port int) (parts, error)
}

// parts tells a rig where frames go in and come out, and which redirects it needs.
type parts struct {
	device    string // frames are sent on it and must arrive on it
	redirects []redirect
}

// redirect is a program on one device that sends every frame elsewhere.
type redirect struct {
	on     int
	attach uint32 // a parent of clsact
	to     int
	flags  uint64
}

const (
	ingress = netlink.HANDLE_MIN_INGRESS
	egress  = netlink.HANDLE_MIN_EGRESS
	inward  = 1 // BPF_F_INGRESS
)

func candidates() []candidate {
	return []candidate{
		{"bare port", func(int) (parts, error) { return parts{device: "p0"}, nil }},
		{"veth, past the device (fast path)", buildFast},
		{"veth, by the inner end (exact)", buildExact},
		{"macvlan passthru over veth (exact)", buildMacvlan},
	}
}

func buildFast(port int) (parts, error) {
	outer, _, err := pair("agg0", "agg1")
	return parts{"agg0", []redirect{{outer, egress, port, 0}, {port, ingress, outer, inward}}}, err
}

func buildExact(port int) (parts, error) {
	_, inner, err := pair("agg0", "agg1")
	return parts{"agg0", []redirect{{inner, ingress, port, 0}, {port, ingress, inner, 0}}}, err
}

func buildMacvlan(port int) (parts, error) {
	lower, _, err := pair("low0", "low1")
	if err != nil {
		return parts{}, err
	}
	if err := promisc("low0"); err != nil {
		return parts{}, err
	}
	err = add(&netlink.Macvlan{
		LinkAttrs: netlink.LinkAttrs{Name: "agg0", ParentIndex: lower},
		Mode:      netlink.MACVLAN_MODE_PASSTHRU, BCQueueLen: 1000,
	})
	return parts{"agg0", []redirect{{lower, egress, port, 0}, {port, ingress, lower, inward}}}, err
}

// pair makes a veth pair, up, and returns both ifindexes.
func pair(a, b string) (int, int, error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = a
	if err := add(&netlink.Veth{LinkAttrs: attrs, PeerName: b}); err != nil {
		return 0, 0, err
	}
	i, err := up(a)
	if err != nil {
		return 0, 0, err
	}
	j, err := up(b)
	return i, j, err
}

func add(l netlink.Link) error {
	if err := netlink.LinkAdd(l); err != nil {
		return fmt.Errorf("add %s: %w", l.Attrs().Name, err)
	}
	_, err := up(l.Attrs().Name)
	return err
}

func up(name string) (int, error) {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return 0, fmt.Errorf("find %s: %w", name, err)
	}
	return l.Attrs().Index, netlink.LinkSetUp(l)
}

func promisc(name string) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	return netlink.SetPromiscOn(l)
}
