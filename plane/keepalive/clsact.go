package keepalive

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func clsact(ifindex int) *netlink.Clsact {
	return &netlink.Clsact{QdiscAttrs: netlink.QdiscAttrs{
		LinkIndex: ifindex, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT,
	}}
}

// ensureClsact reports whether it had to make the qdisc.
func ensureClsact(ifindex int) (made bool, err error) {
	err = netlink.QdiscAdd(clsact(ifindex))
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, unix.EEXIST):
		return false, nil
	default:
		return false, fmt.Errorf("add a clsact qdisc to interface %d: %w", ifindex, err)
	}
}

// dropClsact removes the qdisc where nobody uses it.
func dropClsact(ifindex int) error {
	for _, ingress := range []bool{true, false} {
		if list, err := netlink.FilterList(byIndex(ifindex), hook{ingress: ingress}.parent()); err != nil || len(list) > 0 {
			return nil //nolint:nilerr // gone, or in use
		}
	}
	if err := netlink.QdiscDel(clsact(ifindex)); err != nil && !isGone(err) {
		return fmt.Errorf("remove the clsact qdisc of interface %d: %w", ifindex, err)
	}
	return nil
}
