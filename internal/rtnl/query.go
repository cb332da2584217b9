package rtnl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// linkState is what one RTM_NEWLINK says.
type linkState struct {
	name  string
	index int
	flags uint32
	mac   [6]byte
	mtu   int
	// oper is the operational state of RFC 2863, IF_OPER_*.
	oper byte
	// carrierChanges is how often the driver gave or took the carrier, 0 before Linux 3.15.
	carrierChanges uint32
	// master is the ifindex of the device that the link is a port of, 0 for none.
	master int
	// moved: the link is gone to another network namespace.
	moved bool
}

func (s linkState) adminUp() bool { return s.flags&unix.IFF_UP != 0 }

// carrier is IFF_LOWER_UP, the driver's carrier flag at this moment (false while the
// interface is down), without the moment of rising.
func (s linkState) carrier() bool { return s.flags&unix.IFF_LOWER_UP != 0 && !s.rising() }

// bounced reports whether the link came or went after an earlier state, also where it looks
// the same again: the kernel tells once of what is over before it comes to tell.
func (s linkState) bounced(before linkState) bool {
	const state = unix.IFF_UP | unix.IFF_RUNNING | unix.IFF_LOWER_UP
	return (before.flags^s.flags)&state != 0 || before.carrierChanges != s.carrierChanges
}

// Operational states of linux/if.h in which nothing can be sent.
const (
	operNotPresent     = 1
	operDown           = 2
	operLowerLayerDown = 3
)

// rising: the driver has its carrier back, but the kernel has not yet taken note, which
// it does some time later, in a work queue. Until then the interface has no queue and
// loses all that is sent. A dormant interface has one; it counts as the bonding driver
// counts it, as up.
func (s linkState) rising() bool {
	return s.flags&unix.IFF_LOWER_UP != 0 && s.oper >= operNotPresent && s.oper <= operLowerLayerDown
}

// querier asks for single links over one socket, and allocates nothing but their names.
type querier struct {
	mu  sync.Mutex
	fd  int
	seq uint32
	in  [16 << 10]byte
	out [64]byte
}

func newQuerier() (*querier, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	// Connected to the kernel, so that neither end has to be named again each time. The
	// answer is there when the request returns; a kernel that breaks this must not hang us.
	err = unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	if err == nil {
		err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5})
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	return &querier{fd: fd}, nil
}

func (q *querier) close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	fd := q.fd
	q.fd = -1
	return unix.Close(fd)
}

// rtextSkipStats is RTEXT_FILTER_SKIP_STATS of linux/rtnetlink.h: leave the counters
// out, which drivers may have to collect.
const rtextSkipStats = 1 << 3

const (
	headerLen = unix.SizeofNlMsghdr
	infoLen   = unix.SizeofIfInfomsg
)

// link asks for one link by name. The bool is false where there is none.
func (q *querier) link(name string) (linkState, bool, error) {
	if len(name) >= unix.IFNAMSIZ || name == "" {
		return linkState{}, false, nil
	}
	s, present, err := q.ask(name, 0)
	if s.name != name {
		return linkState{}, false, err // found by an alternative name: not what was meant
	}
	return s, present, err
}

// again asks for a link that had an ifindex when it was asked for last, 0 where it was not
// there: the kernel finds an index sooner than a name.
func (q *querier) again(name string, index int) (linkState, bool, error) {
	if index != 0 {
		if s, present, err := q.byIndex(index); err == nil && present && s.name == name {
			return s, true, nil
		}
	}
	return q.link(name)
}

// byIndex asks for one link by its ifindex.
func (q *querier) byIndex(index int) (linkState, bool, error) { return q.ask("", index) }

// ask asks by name, or by ifindex where the name is empty.
func (q *querier) ask(name string, index int) (linkState, bool, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seq++
	n := q.request(name, index)
	if _, err := unix.Write(q.fd, q.out[:n]); err != nil {
		return linkState{}, false, fmt.Errorf("ask for interface %s: %w", name, err)
	}
	s, err := q.answer()
	if errors.Is(err, unix.ENODEV) {
		return linkState{}, false, nil
	}
	if err != nil {
		return linkState{}, false, fmt.Errorf("ask for interface %s: %w", name, err)
	}
	return s, true, nil
}

// request writes an RTM_GETLINK for name, or for index, into q.out and returns its
// length.
func (q *querier) request(name string, index int) int {
	b := q.out[:]
	clear(b)
	native := binary.NativeEndian
	native.PutUint16(b[4:], unix.RTM_GETLINK)
	native.PutUint16(b[6:], unix.NLM_F_REQUEST)
	native.PutUint32(b[8:], q.seq)
	native.PutUint32(b[headerLen+4:], uint32(index))
	at := headerLen + infoLen
	native.PutUint16(b[at:], 8)
	native.PutUint16(b[at+2:], unix.IFLA_EXT_MASK)
	native.PutUint32(b[at+4:], rtextSkipStats)
	at += 8
	if name != "" {
		native.PutUint16(b[at:], uint16(4+len(name)+1))
		native.PutUint16(b[at+2:], unix.IFLA_IFNAME)
		copy(b[at+4:], name)
		at += 4 + align4(len(name)+1)
	}
	native.PutUint32(b, uint32(at))
	return at
}

// answer reads until the answer to q.seq; older ones, of requests given up, are skipped.
func (q *querier) answer() (linkState, error) {
	for {
		n, err := unix.Read(q.fd, q.in[:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return linkState{}, err
		}
		kind, seq, body, _, ok := nextMessage(q.in[:n])
		if !ok {
			return linkState{}, errMalformed
		}
		if seq != q.seq {
			continue
		}
		switch kind {
		case unix.NLMSG_ERROR:
			return linkState{}, errorOf(body)
		case unix.RTM_NEWLINK:
			return parseLink(body)
		default:
			return linkState{}, errMalformed
		}
	}
}

var errMalformed = errors.New("malformed netlink message")

// nextMessage cuts the first netlink message off b.
func nextMessage(b []byte) (kind uint16, seq uint32, body, rest []byte, ok bool) {
	if len(b) < headerLen {
		return 0, 0, nil, nil, false
	}
	native := binary.NativeEndian
	length := int(native.Uint32(b))
	if length < headerLen || length > len(b) {
		return 0, 0, nil, nil, false
	}
	return native.Uint16(b[4:]), native.Uint32(b[8:]), b[headerLen:length], b[min(align4(length), len(b)):], true
}

// errorOf reads the negated errno of an NLMSG_ERROR.
func errorOf(body []byte) error {
	if len(body) < 4 {
		return errMalformed
	}
	return unix.Errno(-int32(binary.NativeEndian.Uint32(body)))
}

// parseLink reads the body of an RTM_NEWLINK or RTM_DELLINK.
func parseLink(body []byte) (linkState, error) {
	if len(body) < infoLen {
		return linkState{}, errMalformed
	}
	native := binary.NativeEndian
	s := linkState{index: int(int32(native.Uint32(body[4:]))), flags: native.Uint32(body[8:])}
	for b := body[infoLen:]; len(b) >= 4; {
		length, kind := int(native.Uint16(b)), native.Uint16(b[2:])
		if length < 4 || length > len(b) {
			return linkState{}, errMalformed
		}
		v := b[4:length]
		switch {
		case kind == unix.IFLA_IFNAME:
			s.name = unix.ByteSliceToString(v)
		case kind == unix.IFLA_ADDRESS && len(v) == len(s.mac):
			copy(s.mac[:], v)
		case kind == unix.IFLA_MTU && len(v) == 4:
			s.mtu = int(native.Uint32(v))
		case kind == unix.IFLA_MASTER && len(v) == 4:
			s.master = int(native.Uint32(v))
		case kind == unix.IFLA_NEW_NETNSID:
			s.moved = true
		case kind == unix.IFLA_OPERSTATE && len(v) == 1:
			s.oper = v[0]
		case kind == unix.IFLA_CARRIER_CHANGES && len(v) == 4:
			s.carrierChanges = native.Uint32(v)
		}
		b = b[min(align4(length), len(b)):]
	}
	return s, nil
}

func align4(n int) int { return (n + 3) &^ 3 }
