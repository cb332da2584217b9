package port

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/iface"
)

// EnsureClsact gives a port that is taken a clsact qdisc where it has none. One that is
// made goes when the port is given back, unless somebody else's filters are in it then;
// that is written down before, so that no crash leaves it behind. Making one stops what
// the interface sends for a moment: it must not carry yet.
func (k *Keeper) EnsureClsact(index int) error {
	return k.space.Do(func() error {
		if has, err := hasClsact(index); err != nil || has {
			return err
		}
		r := k.record(index)
		if r == nil {
			return fmt.Errorf("interface %d is no port that is taken", index)
		}
		r.Clsact = true
		if err := k.step(func() error { return k.journal.save(k.path) }); err != nil {
			return err
		}
		return k.step(func() error { return AddClsact(index) })
	})
}

// AddClsact makes a clsact qdisc; one that is there is no error.
func AddClsact(index int) error {
	if err := netlink.QdiscAdd(clsact(index)); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("add a clsact qdisc to interface %d: %w", index, err)
	}
	return nil
}

// hasClsact reports whether an interface has a clsact qdisc. One that is gone has none.
func hasClsact(index int) (bool, error) {
	req := nl.NewNetlinkRequest(unix.RTM_GETQDISC, unix.NLM_F_ACK)
	req.AddData(&nl.TcMsg{Family: nl.FAMILY_ALL, Ifindex: int32(index), Parent: netlink.HANDLE_CLSACT})
	req.AddData(nl.NewRtAttr(nl.TCA_KIND, nl.ZeroTerminated("clsact")))
	_, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWQDISC)
	switch {
	case err == nil:
		return true, nil
	case noClsact(err):
		return false, nil
	default:
		return false, fmt.Errorf("look for a clsact qdisc on interface %d: %w", index, err)
	}
}

// noClsact: the interface or its qdisc is not there. An ingress qdisc is not the one meant.
func noClsact(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINVAL) || iface.IsAbsent(err)
}

// removeClsact takes a qdisc of ours away again where no filter is in it.
func removeClsact(r Record) error {
	if !r.Clsact {
		return nil
	}
	for _, parent := range []uint32{netlink.HANDLE_MIN_INGRESS, netlink.HANDLE_MIN_EGRESS} {
		if list, err := netlink.FilterList(linkOf(r.Index), parent); err != nil || len(list) > 0 {
			return nil //nolint:nilerr // gone, or in use by others
		}
	}
	err := netlink.QdiscDel(clsact(r.Index))
	if err == nil || noClsact(err) {
		return nil
	}
	return fmt.Errorf("remove the clsact qdisc of interface %d: %w", r.Index, err)
}

func clsact(index int) netlink.Qdisc {
	return &netlink.Clsact{QdiscAttrs: netlink.QdiscAttrs{
		LinkIndex: index, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT,
	}}
}
