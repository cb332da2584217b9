package team

import (
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Kernel is the driver of the network namespace that [Open] was called in. Its methods
// are safe for concurrent use, from whatever namespace. [Kernel.Subscribe] alone must be
// called in the namespace itself.
type Kernel struct {
	mu     sync.Mutex
	closed bool
	family uint16
	group  uint32
	genl   *nl.SocketHandle
	route  *nl.SocketHandle
}

var _ Driver = (*Kernel)(nil)

// Open connects to the driver of the calling thread's network namespace, and has the
// kernel load the module where it is not yet there and the process may ask for it.
// [ErrNoDriver] where the kernel has none.
func Open() (*Kernel, error) {
	k := &Kernel{}
	if err := k.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open the team driver: %w", err), k.Close())
	}
	return k, nil
}

func (k *Kernel) open() (err error) {
	if k.genl, err = dial(unix.NETLINK_GENERIC); err != nil {
		return err
	}
	if k.route, err = dial(unix.NETLINK_ROUTE); err != nil {
		return err
	}
	return k.resolve()
}

func dial(protocol int) (*nl.SocketHandle, error) {
	s, err := nl.Subscribe(protocol)
	if err != nil {
		return nil, err
	}
	// Old kernels have no extended messages; the number is enough.
	_ = s.SetExtAck(true)
	return &nl.SocketHandle{Socket: s}, nil
}

// Close ends the connection. Devices stay, subscriptions too.
func (k *Kernel) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	for _, s := range []*nl.SocketHandle{k.genl, k.route} {
		if s != nil {
			s.Close()
		}
	}
	k.genl, k.route = nil, nil
	return nil
}

// raw is a payload that is serialised already.
type raw []byte

func (r raw) Len() int          { return len(r) }
func (r raw) Serialize() []byte { return r }

// do sends one request and returns the bodies of the answers.
func (k *Kernel) do(protocol int, kind uint16, flags int, body []byte) ([][]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil, ErrClosed
	}
	req := nl.NewNetlinkRequest(int(kind), flags)
	req.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_GENERIC: k.genl, unix.NETLINK_ROUTE: k.route}
	req.AddData(raw(body))
	return req.Execute(protocol, 0)
}

// resolve asks the kernel for the family's number, which loads the module.
func (k *Kernel) resolve() error {
	body := appendAttr([]byte{unix.CTRL_CMD_GETFAMILY, 1, 0, 0}, unix.CTRL_ATTR_FAMILY_NAME, []byte(familyName+"\x00"))
	answers, err := k.do(unix.NETLINK_GENERIC, unix.GENL_ID_CTRL, 0, body)
	if errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("%w: load it with `modprobe team` (%w)", ErrNoDriver, err)
	}
	if err != nil {
		return err
	}
	for _, m := range answers {
		if len(m) < genlHeader {
			return errShort
		}
		if err := attributes(m[genlHeader:], k.familyAttr); err != nil {
			return err
		}
	}
	if k.family == 0 || k.group == 0 {
		return fmt.Errorf("%w: the kernel does not say its numbers", ErrNoDriver)
	}
	return nil
}

func (k *Kernel) familyAttr(kind uint16, data []byte) error {
	switch kind {
	case unix.CTRL_ATTR_FAMILY_ID:
		if len(data) < 2 {
			return errShort
		}
		k.family = nl.NativeEndian().Uint16(data)
	case unix.CTRL_ATTR_MCAST_GROUPS:
		return attributes(data, k.groupAttr)
	}
	return nil
}

func (k *Kernel) groupAttr(_ uint16, item []byte) error {
	var name string
	var id uint32
	err := attributes(item, func(kind uint16, data []byte) (err error) {
		switch kind {
		case unix.CTRL_ATTR_MCAST_GRP_NAME:
			name = nl.BytesToString(data)
		case unix.CTRL_ATTR_MCAST_GRP_ID:
			id, err = readU32(data)
		}
		return err
	})
	if name == groupName {
		k.group = id
	}
	return err
}

// ask sends a command of the driver about a device and reads the answers.
func (k *Kernel) ask(command uint8, device int) ([]message, error) {
	answers, err := k.do(unix.NETLINK_GENERIC, k.family, 0, request(command, device, nil))
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENODEV) {
		err = fmt.Errorf("%w (%w)", ErrNotTeam, err)
	}
	if err != nil {
		return nil, err
	}
	var out []message
	for _, a := range answers {
		m, err := parseMessage(a)
		if err != nil {
			return nil, err
		}
		if m.ifindex == device {
			out = append(out, m)
		}
	}
	return out, nil
}

// Options implements [Driver].
func (k *Kernel) Options(device int) (Options, error) {
	messages, err := k.ask(cmdOptionsGet, device)
	if err != nil {
		return nil, failed("read options", number(device), err)
	}
	var out Options
	for _, m := range messages {
		out = append(out, m.options...)
	}
	return out, nil
}

// Ports implements [Driver].
func (k *Kernel) Ports(device int) ([]Port, error) {
	messages, err := k.ask(cmdPortsGet, device)
	if err != nil {
		return nil, failed("read ports", number(device), err)
	}
	var out []Port
	for _, m := range messages {
		out = append(out, m.ports...)
	}
	return out, nil
}

// SetOptions implements [Driver].
//
// Each option has a message of its own. The driver tells its multicast group after every
// option, and where nobody listens, or those who do have full buffers, it takes that for
// an error (ESRCH): it skips the options that follow in the message, and reports it,
// although the option is set. Nothing else of the driver gives this number.
func (k *Kernel) SetOptions(device int, options ...Option) error {
	for _, o := range options {
		_, err := k.do(unix.NETLINK_GENERIC, k.family, unix.NLM_F_ACK, request(cmdOptionsSet, device, []Option{o}))
		if err != nil && !errors.Is(err, unix.ESRCH) {
			return optionError("set option "+o.String(), number(device), err)
		}
	}
	return nil
}

// String writes the option with its value.
func (o Option) String() string { return o.Key.String() + "=" + o.Value.String() }

func number(ifindex int) string { return "interface " + strconv.Itoa(ifindex) }
