package handover

import (
	"errors"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Numbers of linux/rtnetlink.h and linux/neighbour.h that x/sys lacks.
const (
	rtaNhID      = 30
	sizeofNdMsg  = 12
	ndaCacheInfo = 3
	ndaProbes    = 4
	nudPermanent = 0x80
)

// raw is a message that is there already.
type raw []byte

func (r raw) Len() int          { return len(r) }
func (r raw) Serialize() []byte { return r }

// neighbourMessage is a struct ndmsg of all zero.
type neighbourMessage struct{}

func (neighbourMessage) Len() int          { return sizeofNdMsg }
func (neighbourMessage) Serialize() []byte { return make([]byte, sizeofNdMsg) }

// request asks the kernel for one change.
func request(kind, flags int, payload []byte) error {
	req := nl.NewNetlinkRequest(kind, flags|unix.NLM_F_ACK)
	req.AddData(raw(payload))
	_, err := req.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

// dumpTries is how often a list is asked for that changed while the kernel made it.
const dumpTries = 10

func dump(kind int, head nl.NetlinkRequestData, answer uint16) (messages [][]byte, err error) {
	for range dumpTries {
		req := nl.NewNetlinkRequest(kind, unix.NLM_F_DUMP)
		req.AddData(head)
		if messages, err = req.Execute(unix.NETLINK_ROUTE, answer); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return messages, err
}

// attr is one attribute; the value is a part of the message.
type attr struct {
	kind  uint16
	value []byte
}

func attributes(b []byte) []attr {
	var out []attr
	native := nl.NativeEndian()
	for len(b) >= unix.SizeofRtAttr {
		length := int(native.Uint16(b))
		if length < unix.SizeofRtAttr || length > len(b) {
			break
		}
		out = append(out, attr{native.Uint16(b[2:]), b[unix.SizeofRtAttr:length]})
		b = b[min((length+3)&^3, len(b)):]
	}
	return out
}

func attribute(b []byte, kind uint16) ([]byte, bool) {
	for _, a := range attributes(b) {
		if a.kind&^unix.NLA_F_NESTED == kind {
			return a.value, true
		}
	}
	return nil, false
}

// without is a message with a head of so many bytes, less some attributes.
func without(m []byte, head int, kinds ...uint16) []byte {
	out := slices.Clone(m[:head])
	for _, a := range attributes(m[head:]) {
		if !slices.Contains(kinds, a.kind) {
			out = append(out, nl.NewRtAttr(int(a.kind), a.value).Serialize()...)
		}
	}
	return out
}

// eachHop calls f with every struct rtnexthop of an RTA_MULTIPATH, its attributes behind it.
func eachHop(b []byte, f func(hop []byte)) {
	for len(b) >= unix.SizeofRtNexthop {
		length := int(nl.NativeEndian().Uint16(b))
		if length < unix.SizeofRtNexthop || length > len(b) {
			return
		}
		f(b[:length])
		b = b[min((length+3)&^3, len(b)):]
	}
}
