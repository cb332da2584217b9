package bonding

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/plane/device"
)

// Driver is the kernel's bonding driver in the network namespace that [NewDriver] was called
// in. Its methods are for one goroutine at a time.
type Driver struct {
	socket *nl.SocketHandle
}

// driverKind is IFLA_INFO_KIND of a bond.
const driverKind = "bond"

// ErrNotBond is said of an interface that is there and is no bond.
var ErrNotBond = errors.New("not a bond")

// NewDriver connects to the kernel. Whether it has the driver shows when a bond is made.
func NewDriver() (*Driver, error) {
	s, err := nl.Subscribe(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open rtnetlink: %w", err)
	}
	_ = s.SetExtAck(true) // old kernels have no extended messages; the number is enough
	return &Driver{&nl.SocketHandle{Socket: s}}, nil
}

// Close ends the connection. Bonds stay.
func (d *Driver) Close() error { d.socket.Close(); return nil }

// raw is a payload that is serialised already.
type raw []byte

func (r raw) Len() int          { return len(r) }
func (r raw) Serialize() []byte { return r }

func (d *Driver) do(kind, flags int, body []byte, answer uint16) ([][]byte, error) {
	req := nl.NewNetlinkRequest(kind, flags)
	req.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: d.socket}
	req.AddData(raw(body))
	return req.Execute(unix.NETLINK_ROUTE, answer)
}

func linkHead(index int) []byte {
	b := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	return b
}

// info is the IFLA_LINKINFO that carries options of a bond, or of a port of one.
func info(kindAttr, dataAttr int, data []byte) []byte {
	b := appendAttribute(nil, kindAttr, []byte(driverKind))
	if len(data) > 0 {
		b = appendAttribute(b, dataAttr|nestedFlag, data)
	}
	return appendAttribute(nil, unix.IFLA_LINKINFO|nestedFlag, b)
}

// Create makes a bond, down, with the driver's own options. EEXIST where the name is
// taken; an [agg.Problem] where there is no driver, or no privilege.
func (d *Driver) Create(name string, mac agg.MAC, mtu int) error {
	body := appendAttribute(linkHead(0), unix.IFLA_IFNAME, append([]byte(name), 0))
	if !mac.IsZero() {
		body = appendAttribute(body, unix.IFLA_ADDRESS, mac[:])
	}
	if mtu != 0 {
		body = appendAttribute(body, unix.IFLA_MTU, binary.NativeEndian.AppendUint32(nil, uint32(mtu)))
	}
	body = append(body, info(nl.IFLA_INFO_KIND, nl.IFLA_INFO_DATA, nil)...)
	_, err := d.do(unix.RTM_NEWLINK, unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_EXCL, body, 0)
	if p := noDriver(name, err); p != nil {
		return p
	}
	if err != nil {
		return fmt.Errorf("create bond %s: %w", name, err)
	}
	return nil
}

// noDriver turns what a kernel without the driver, or one that does not let us, says of a
// new bond into a problem, nil for anything else.
func noDriver(object string, err error) *agg.Problem {
	switch {
	case errors.Is(err, unix.EOPNOTSUPP):
		return device.NoDriver(object, "bonding")
	case errors.Is(err, unix.EPERM):
		return device.NoPrivilege(object, "bonding")
	default:
		return nil
	}
}

// Find returns the ifindex of a bond, whoever made it, and changes nothing. ENODEV where
// there is no such interface, [ErrNotBond] where it is another kind.
func (d *Driver) Find(name string) (int, error) {
	body := appendAttribute(linkHead(0), unix.IFLA_IFNAME, append([]byte(name), 0))
	answers, err := d.do(unix.RTM_GETLINK, 0, body, 0)
	if err == nil && len(answers) != 1 {
		err = errShort
	}
	if err != nil {
		return 0, fmt.Errorf("find bond %s: %w", name, err)
	}
	l, err := parseLink(answers[0])
	if err == nil && l.kind != driverKind {
		err = ErrNotBond
	}
	if err != nil {
		return 0, fmt.Errorf("find bond %s: %w", name, err)
	}
	return l.index, nil
}

// Read tells what a bond is and does now, with its ports in the order of their numbers.
func (d *Driver) Read(index int) (State, error) {
	s, err := d.read(index)
	if err != nil {
		return State{}, fmt.Errorf("read bond %d: %w", index, err)
	}
	return s, nil
}

func (d *Driver) read(index int) (State, error) {
	answers, err := d.do(unix.RTM_GETLINK, 0, linkHead(index), 0)
	if err != nil {
		return State{}, err
	}
	if len(answers) != 1 {
		return State{}, errShort
	}
	l, err := parseLink(answers[0])
	if err != nil {
		return State{}, err
	}
	if l.kind != driverKind {
		return State{}, ErrNotBond
	}
	s, err := l.state()
	if err != nil {
		return State{}, err
	}
	ports, err := d.ports(index)
	s.Ports = ports
	return s, err
}

// ports lists those interfaces whose master is the bond.
func (d *Driver) ports(bond int) ([]Port, error) {
	body := appendAttribute(linkHead(0), unix.IFLA_MASTER, binary.NativeEndian.AppendUint32(nil, uint32(bond)))
	answers, err := iface.Whole(func() ([][]byte, error) {
		return d.do(unix.RTM_GETLINK, unix.NLM_F_DUMP, body, unix.RTM_NEWLINK)
	})
	if err != nil {
		return nil, err
	}
	var out []Port
	for _, m := range answers {
		l, err := parseLink(m)
		if err != nil {
			return nil, err
		}
		if l.master != bond || l.under != driverKind {
			continue
		}
		p, err := l.port()
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// Change sets options of a bond, by name and kernel value, all or none. What the driver's
// rules forbid is an [agg.Problem] before the kernel is asked; what the kernel refuses is
// [Refused], after everything is as it was before.
func (d *Driver) Change(index int, want Values) error { return change(bond{d, index}, want) }

// bond is one of them, as a kernel.
type bond struct {
	*Driver
	index int
}

func (b bond) read() (State, error) { return b.Read(b.index) }

func (b bond) set(a Attribute, value string) error {
	payload, err := a.encode(value)
	if err != nil {
		return err
	}
	kind := a.Number
	if a.Form == IPv4List || a.Form == IPv6List {
		kind |= nestedFlag
	}
	body := append(linkHead(b.index), info(nl.IFLA_INFO_KIND, nl.IFLA_INFO_DATA, appendAttribute(nil, kind, payload))...)
	_, err = b.do(unix.RTM_NEWLINK, unix.NLM_F_ACK, body, 0)
	return err
}

// SetPort sets one option of a port, and reads it back.
func (d *Driver) SetPort(bondIndex int, port Port, name, value string) error {
	a, ok := named(PortAttributes(), name)
	if !ok {
		return fmt.Errorf("%s is no option of a bonding port", name)
	}
	was, reported := port.Options[name]
	if !reported {
		return &agg.Problem{Code: "old-kernel", Object: port.Name, Option: name, Value: value,
			Rule: "the bonding driver of this kernel does not have it; Linux " + a.Since + " does", Remedy: "leave it out"}
	}
	if was == value {
		return nil
	}
	payload, err := a.encode(value)
	if err != nil {
		return err
	}
	body := append(linkHead(port.Index), info(nl.IFLA_INFO_SLAVE_KIND, nl.IFLA_INFO_SLAVE_DATA, appendAttribute(nil, a.Number, payload))...)
	if _, err := d.do(unix.RTM_NEWLINK, unix.NLM_F_ACK, body, 0); err != nil {
		return refusal(port.Name, a, value, err)
	}
	s, err := d.Read(bondIndex)
	if err != nil {
		return err
	}
	if now, ok := s.Port(port.Name); !ok || now.Options[name] != value {
		return refusal(port.Name, a, value, errors.New("it has another value afterwards"))
	}
	return nil
}

// SetMaster makes an interface, which must be down, a port of a bond, or of none with 0.
func (d *Driver) SetMaster(port, bond int) error {
	body := appendAttribute(linkHead(port), unix.IFLA_MASTER, binary.NativeEndian.AppendUint32(nil, uint32(bond)))
	if _, err := d.do(unix.RTM_SETLINK, unix.NLM_F_ACK, body, 0); err != nil {
		return fmt.Errorf("give interface %d the bond %d: %w", port, bond, err)
	}
	return nil
}

// Destroy removes a bond; its ports are let go, down.
func (d *Driver) Destroy(index int) error {
	if _, err := d.do(unix.RTM_DELLINK, unix.NLM_F_ACK, linkHead(index), 0); err != nil {
		return fmt.Errorf("remove bond %d: %w", index, err)
	}
	return nil
}
