package main

import (
	"fmt"

	"github.com/vishvananda/netlink"
)

// cable joins two hosts by a veth pair of one name at both ends.
func cable(a, b *host, name string) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	pair := &netlink.Veth{LinkAttrs: attrs, PeerName: name, PeerNamespace: netlink.NsFd(b.FD())}
	if err := a.nl.LinkAdd(pair); err != nil {
		return fmt.Errorf("cable %s: %w", name, err)
	}
	return nil
}
