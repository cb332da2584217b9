package clsact

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
)

// Has reports whether an interface has a clsact qdisc. One that is gone has none.
func Has(index int) (bool, error) {
	return stands(index, "clsact")
}

// Check refuses an interface that has an ingress qdisc, with an [agg.Problem].
func Check(index int) error {
	has, err := stands(index, "ingress")
	if err != nil || !has {
		return err
	}
	l, err := iface.ByIndex(index, iface.Here)
	if err != nil {
		return err
	}
	return &agg.Problem{
		Code: "ingress-qdisc", Object: l.Name,
		Rule:   "has an ingress qdisc, which leaves no room for the filters of frames that it sends",
		Remedy: fmt.Sprintf("clsact serves the same filters, once they are added again: `tc qdisc delete dev %[1]s ingress && tc qdisc add dev %[1]s clsact`", l.Name),
	}
}

// Add makes a clsact qdisc and reports whether it had to: one that is there is no error. An
// ingress qdisc is refused as [Check] does. Making one stops what the interface sends for a
// moment.
func Add(index int) (made bool, err error) {
	req := request(unix.RTM_NEWQDISC, unix.NLM_F_CREATE|unix.NLM_F_EXCL, index)
	req.AddData(nl.NewRtAttr(nl.TCA_KIND, nl.ZeroTerminated("clsact")))
	_, err = iface.Request(req, 0)
	if errors.Is(err, unix.EEXIST) { // what the kernel says of either kind
		return false, Check(index)
	}
	if err != nil {
		return false, fmt.Errorf("add a clsact qdisc to interface %d: %w", index, err)
	}
	return true, nil
}

// DropUnused removes the clsact qdisc where no filter is in it. One that is gone, or its
// interface, is no error.
func DropUnused(index int) error {
	if has, err := Has(index); err != nil || !has { // the kernel would remove any kind
		return err
	}
	for _, ingress := range []bool{true, false} {
		list, err := Filters(index, ingress)
		if IsGone(err) || len(list) > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	if _, err := iface.Request(request(unix.RTM_DELQDISC, 0, index), 0); err != nil && !IsGone(err) {
		return fmt.Errorf("remove the clsact qdisc of interface %d: %w", index, err)
	}
	return nil
}

// IsGone reports whether err says that an interface, its qdisc or a filter in it is not
// there. The kernel says EINVAL where an interface has lost its qdisc, or has another kind.
func IsGone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINVAL) || iface.IsAbsent(err)
}

// stands reports whether a qdisc of that kind stands where clsact does. The kernel compares
// by itself, and does not answer with what is there.
func stands(index int, kind string) (bool, error) {
	req := nl.NewNetlinkRequest(unix.RTM_GETQDISC, unix.NLM_F_ACK)
	req.AddData(&nl.TcMsg{Family: nl.FAMILY_ALL, Ifindex: int32(index), Parent: netlink.HANDLE_CLSACT})
	req.AddData(nl.NewRtAttr(nl.TCA_KIND, nl.ZeroTerminated(kind)))
	_, err := iface.Request(req, unix.RTM_NEWQDISC)
	if err != nil && !IsGone(err) {
		return false, fmt.Errorf("look for a %s qdisc on interface %d: %w", kind, index, err)
	}
	return err == nil, nil
}

// request begins one about the clsact qdisc.
func request(kind, flags, index int) *nl.NetlinkRequest {
	req := nl.NewNetlinkRequest(kind, flags|unix.NLM_F_ACK)
	req.AddData(&nl.TcMsg{Family: nl.FAMILY_ALL, Ifindex: int32(index), Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT})
	return req
}
