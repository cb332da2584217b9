package user

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/afpacket"
)

// A fence is a classic BPF filter at the tc hooks of an interface that keeps its own
// stack out. It is told from the filters of others by its handle, "yoke" in ASCII, and
// stands first at ingress and last at egress.
const (
	fenceHandle  = 0x796f6b65
	fenceIngress = 11
	fenceEgress  = 65011
)

// Verdicts of a direct-action classifier (linux/pkt_cls.h).
const (
	verdictDrop    = 2          // counted as a drop of the clsact qdisc
	verdictConsume = 4          // not counted there
	verdictNext    = 0xffffffff // the next filter decides, and in the end the frame passes
)

// fencesOfPort is how many a port has: one each way.
const fencesOfPort = 2

// fencePort silences a port's own stack both ways. A frame received is consumed, not
// dropped, so that the drops of the qdisc are those of the port's own frames.
func fencePort(ifindex int) error {
	return errors.Join(
		addFence(ifindex, true, fenceProgram(verdictConsume)),
		addFence(ifindex, false, fenceProgram(verdictDrop)))
}

// fenceInner keeps the host's stack from seeing what the aggregate transmits.
func fenceInner(ifindex int) error {
	return addFence(ifindex, true, []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: verdictConsume}})
}

// fenceProgram gives every frame the verdict, except those that are for the port itself:
// to 01:80:c2:00:00:0x, LLDP, EAPOL and PTP.
func fenceProgram(verdict uint32) []unix.SockFilter {
	const (
		word = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		half = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
		same = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		ret  = unix.BPF_RET | unix.BPF_K
	)
	return []unix.SockFilter{
		{Code: word, K: 0},
		{Code: same, K: 0x0180c200, Jt: 0, Jf: 3},
		{Code: half, K: 4},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: 0xfff0},
		{Code: same, K: 0, Jt: 5, Jf: 0},
		{Code: half, K: macsLen},
		{Code: same, K: etherLLDP, Jt: 3, Jf: 0},
		{Code: same, K: etherEAPOL, Jt: 2, Jf: 0},
		{Code: same, K: etherPTP, Jt: 1, Jf: 0},
		{Code: ret, K: verdict},
		{Code: ret, K: verdictNext},
	}
}

const (
	etherEAPOL = 0x888e
	etherLLDP  = 0x88cc
	etherPTP   = 0x88f7
)

// addFence adds the filter, or leaves it where it is already.
func addFence(ifindex int, ingress bool, program []unix.SockFilter) error {
	req := fenceRequest(unix.RTM_NEWTFILTER, unix.NLM_F_CREATE|unix.NLM_F_EXCL, ifindex, ingress)
	options := nl.NewRtAttr(nl.TCA_OPTIONS, nil)
	options.AddRtAttr(nl.TCA_BPF_OPS_LEN, nl.Uint16Attr(uint16(len(program))))
	options.AddRtAttr(nl.TCA_BPF_OPS, encodeProgram(program))
	options.AddRtAttr(nl.TCA_BPF_FLAGS, nl.Uint32Attr(nl.TCA_BPF_FLAG_ACT_DIRECT))
	req.AddData(options)
	if _, err := req.Execute(unix.NETLINK_ROUTE, 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("add the %s filter of interface %d: %w", hookName(ingress), ifindex, err)
	}
	return nil
}

// removeFence removes the filter. One that is gone, also with its interface, is no error.
func removeFence(ifindex int, ingress bool) error {
	_, err := fenceRequest(unix.RTM_DELTFILTER, 0, ifindex, ingress).Execute(unix.NETLINK_ROUTE, 0)
	if err == nil || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EINVAL) {
		return nil // EINVAL: there is no clsact qdisc
	}
	return fmt.Errorf("remove the %s filter of interface %d: %w", hookName(ingress), ifindex, err)
}

func fenceRequest(kind, flags, ifindex int, ingress bool) *nl.NetlinkRequest {
	priority := uint16(fenceEgress)
	if ingress {
		priority = fenceIngress
	}
	req := nl.NewNetlinkRequest(kind, flags|unix.NLM_F_ACK)
	req.AddData(&nl.TcMsg{
		Family: nl.FAMILY_ALL, Ifindex: int32(ifindex), Handle: fenceHandle, Parent: hookParent(ingress),
		Info: netlink.MakeHandle(priority, afpacket.NetworkOrder(unix.ETH_P_ALL)),
	})
	req.AddData(nl.NewRtAttr(nl.TCA_KIND, nl.ZeroTerminated("bpf")))
	return req
}

// encodeProgram lays out struct sock_filter.
func encodeProgram(program []unix.SockFilter) []byte {
	var b []byte
	for _, f := range program {
		b = binary.NativeEndian.AppendUint16(b, f.Code)
		b = append(b, f.Jt, f.Jf)
		b = binary.NativeEndian.AppendUint32(b, f.K)
	}
	return b
}

func hookParent(ingress bool) uint32 {
	if ingress {
		return netlink.HANDLE_MIN_INGRESS
	}
	return netlink.HANDLE_MIN_EGRESS
}

func hookName(ingress bool) string {
	if ingress {
		return "ingress"
	}
	return "egress"
}
