package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/netspace"
)

// host is a network namespace with a netlink handle into it.
type host struct {
	*netspace.Space
	nl *netlink.Handle
}

func newHost() (*host, error) {
	space, err := netspace.Create()
	if err != nil {
		return nil, err
	}
	nl, err := netlink.NewHandleAt(netns.NsHandle(space.FD()), unix.NETLINK_ROUTE)
	if err != nil {
		return nil, errors.Join(err, space.Close())
	}
	h := &host{space, nl}
	return h, h.up("lo")
}

// close deletes the host's devices at once; the kernel would in its own time.
func (h *host) close() {
	if links, err := h.nl.LinkList(); err == nil {
		for _, l := range links {
			if l.Attrs().Flags&net.FlagLoopback == 0 {
				_ = h.nl.LinkDel(l) // the other end of a pair may be gone already
			}
		}
	}
	h.nl.Close()
	_ = h.Close()
}

func (h *host) up(name string) error {
	l, err := h.nl.LinkByName(name)
	if err != nil {
		return fmt.Errorf("set %s up: %w", name, err)
	}
	return h.nl.LinkSetUp(l)
}

func (h *host) down(name string) error {
	l, err := h.nl.LinkByName(name)
	if err != nil {
		return fmt.Errorf("set %s down: %w", name, err)
	}
	return h.nl.LinkSetDown(l)
}

func (h *host) index(name string) (int, error) {
	l, err := h.nl.LinkByName(name)
	if err != nil {
		return 0, fmt.Errorf("interface %s: %w", name, err)
	}
	return l.Attrs().Index, nil
}

func (h *host) address(name, cidr string) error {
	l, err := h.nl.LinkByName(name)
	if err != nil {
		return fmt.Errorf("address of %s: %w", name, err)
	}
	a, err := netlink.ParseAddr(cidr)
	if err != nil {
		return err
	}
	return h.nl.AddrAdd(l, a)
}

// cable joins two hosts by a veth pair of one name at both ends, up.
func cable(a, b *host, name string) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	pair := &netlink.Veth{LinkAttrs: attrs, PeerName: name, PeerNamespace: netlink.NsFd(b.FD())}
	if err := a.nl.LinkAdd(pair); err != nil {
		return fmt.Errorf("cable %s: %w", name, err)
	}
	return errors.Join(a.up(name), b.up(name))
}

// bridge makes a bridge of the named interfaces, up.
func (h *host) bridge(name string, ports ...string) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	br := &netlink.Bridge{LinkAttrs: attrs}
	if err := h.nl.LinkAdd(br); err != nil {
		return fmt.Errorf("bridge %s: %w", name, err)
	}
	for _, p := range ports {
		l, err := h.nl.LinkByName(p)
		if err != nil {
			return err
		}
		if err := h.nl.LinkSetMasterByIndex(l, br.Index); err != nil {
			return fmt.Errorf("bridge %s, port %s: %w", name, p, err)
		}
	}
	return h.up(name)
}

// command runs a program in the host to its end.
func (h *host) command(ctx context.Context, name string, args ...string) error {
	var out []byte
	err := h.Do(func() (err error) {
		out, err = exec.CommandContext(ctx, name, args...).CombinedOutput()
		return err
	})
	if err != nil {
		return fmt.Errorf("%s %v: %w: %s", name, args, err, out)
	}
	return nil
}
