package clsact

import (
	"encoding/binary"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/iface"
)

// Filter is one that stands in a clsact qdisc. The netlink library has the same; here each
// look costs a third, of which there are dozens in the life of a port and with each look at
// an aggregate.
type Filter struct {
	// Kind is the classifier: "bpf", "flower".
	Kind string
	// Priority is its place: low ones run first.
	Priority uint16
	// Handle tells filters of one priority apart.
	Handle uint32
	// Name is what people are shown of a BPF filter, and Program the id of its program.
	Name    string
	Program uint32
}

// Filters lists those of one direction in the order of running. Where there is no interface
// or no qdisc there are none, or the error is true for [IsGone]; kernels differ.
func Filters(index int, ingress bool) ([]Filter, error) {
	messages, err := iface.Whole(func() ([][]byte, error) {
		req := nl.NewNetlinkRequest(unix.RTM_GETTFILTER, unix.NLM_F_DUMP)
		req.AddData(&nl.TcMsg{Family: nl.FAMILY_ALL, Ifindex: int32(index), Parent: Parent(ingress)})
		return iface.Request(req, unix.RTM_NEWTFILTER)
	})
	if err != nil {
		return nil, fmt.Errorf("list filters of interface %d: %w", index, err)
	}
	var out []Filter
	for _, m := range messages {
		if f, ok := parseFilter(m); ok {
			out = append(out, f)
		}
	}
	return out, nil
}

// Parent is where the filters of one direction stand.
func Parent(ingress bool) uint32 {
	if ingress {
		return netlink.HANDLE_MIN_INGRESS
	}
	return netlink.HANDLE_MIN_EGRESS
}

// parseFilter reads one RTM_NEWTFILTER. The kernel also tells of what holds filters, without
// their options, or without the selector in the case of u32; that is none.
func parseFilter(m []byte) (f Filter, ok bool) {
	if len(m) < nl.SizeofTcMsg {
		return f, false
	}
	head := nl.DeserializeTcMsg(m)
	f.Handle, f.Priority = head.Handle, uint16(head.Info>>16)
	attrs, err := nl.ParseRouteAttr(m[head.Len():])
	if err != nil {
		return f, false
	}
	for _, a := range attrs {
		switch a.Attr.Type &^ unix.NLA_F_NESTED {
		case nl.TCA_KIND:
			f.Kind = nl.BytesToString(a.Value)
		case nl.TCA_OPTIONS:
			ok = f.readOptions(a.Value)
		}
	}
	return f, ok
}

// readOptions comes after the kind, which is the first that the kernel tells.
func (f *Filter) readOptions(options []byte) bool {
	attrs, err := nl.ParseRouteAttr(options)
	if err != nil {
		return false
	}
	whole := f.Kind != "u32"
	for _, a := range attrs {
		kind := a.Attr.Type &^ unix.NLA_F_NESTED
		switch {
		case f.Kind == "u32" && kind == nl.TCA_U32_SEL:
			whole = true
		case f.Kind == "bpf" && kind == nl.TCA_BPF_NAME:
			f.Name = nl.BytesToString(a.Value)
		case f.Kind == "bpf" && kind == nl.TCA_BPF_ID && len(a.Value) == 4:
			f.Program = nl.NativeEndian().Uint32(a.Value)
		}
	}
	return whole
}

// Put makes the program behind a descriptor that of the BPF filter, which is added where it
// is not there. The program decides what becomes of a frame.
func (f Filter) Put(index int, ingress bool, program int) error {
	options := nl.NewRtAttr(nl.TCA_OPTIONS, nil)
	options.AddRtAttr(nl.TCA_BPF_FD, nl.Uint32Attr(uint32(program)))
	options.AddRtAttr(nl.TCA_BPF_NAME, nl.ZeroTerminated(f.Name))
	options.AddRtAttr(nl.TCA_BPF_FLAGS, nl.Uint32Attr(nl.TCA_BPF_FLAG_ACT_DIRECT))
	req := f.request(unix.RTM_NEWTFILTER, unix.NLM_F_CREATE, index, ingress)
	req.AddData(options)
	if _, err := iface.Request(req, 0); err != nil {
		return fmt.Errorf("add filter %s to interface %d: %w", f.Name, index, err)
	}
	return nil
}

// Drop removes the filter that has the handle and the priority.
func (f Filter) Drop(index int, ingress bool) error {
	if _, err := iface.Request(f.request(unix.RTM_DELTFILTER, 0, index, ingress), 0); err != nil {
		return fmt.Errorf("remove filter %s from interface %d: %w", f.Name, index, err)
	}
	return nil
}

// request begins one about a BPF filter for frames of all protocols.
func (f Filter) request(kind, flags, index int, ingress bool) *nl.NetlinkRequest {
	req := nl.NewNetlinkRequest(kind, flags|unix.NLM_F_ACK)
	req.AddData(&nl.TcMsg{
		Family: nl.FAMILY_ALL, Ifindex: int32(index), Handle: f.Handle, Parent: Parent(ingress),
		Info: uint32(f.Priority)<<16 | uint32(nl.NativeEndian().Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL))),
	})
	req.AddData(nl.NewRtAttr(nl.TCA_KIND, nl.ZeroTerminated("bpf")))
	return req
}
