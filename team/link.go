package team

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Create makes a device, down and without a mode. EEXIST where the name is taken.
func (k *Kernel) Create(name string, o CreateOptions) (*Device, error) {
	if err := checkName(name); err != nil {
		return nil, failed("create", name, err)
	}
	body := linkBody(0)
	body = appendAttr(body, unix.IFLA_IFNAME, append([]byte(name), 0))
	if len(o.MAC) > 0 {
		body = appendAttr(body, unix.IFLA_ADDRESS, o.MAC)
	}
	for kind, n := range map[uint16]int{unix.IFLA_MTU: o.MTU, unix.IFLA_NUM_TX_QUEUES: o.TxQueues} {
		if n != 0 {
			body = appendAttr(body, kind, binary.NativeEndian.AppendUint32(nil, uint32(n)))
		}
	}
	body = appendAttr(body, unix.IFLA_LINKINFO|nested, appendAttr(nil, unix.IFLA_INFO_KIND, []byte(familyName)))
	_, err := k.do(unix.NETLINK_ROUTE, unix.RTM_NEWLINK, unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_EXCL, body)
	if errors.Is(err, unix.EOPNOTSUPP) {
		err = fmt.Errorf("%w (%w)", ErrNoDriver, err)
	}
	if err != nil {
		return nil, failed("create", name, err)
	}
	return k.Find(name)
}

// Find takes over the device of a name, whoever made it, and changes nothing of it. The
// error is [ErrNotTeam] where the interface is another kind, ENODEV where there is none.
func (k *Kernel) Find(name string) (*Device, error) {
	if err := checkName(name); err != nil {
		return nil, failed("find", name, err)
	}
	body := appendAttr(linkBody(0), unix.IFLA_IFNAME, append([]byte(name), 0))
	answers, err := k.do(unix.NETLINK_ROUTE, unix.RTM_GETLINK, 0, body)
	if err != nil {
		return nil, failed("find", name, err)
	}
	if len(answers) == 0 || len(answers[0]) < unix.SizeofIfInfomsg {
		return nil, failed("find", name, errShort)
	}
	m := answers[0]
	if kind, err := kindOf(m[unix.SizeofIfInfomsg:]); err != nil || kind != familyName {
		return nil, failed("find", name, errors.Join(err, ErrNotTeam))
	}
	return Use(k, name, int(int32(binary.NativeEndian.Uint32(m[4:])))), nil
}

func kindOf(attrs []byte) (kind string, err error) {
	err = attributes(attrs, func(a uint16, data []byte) error {
		if a != unix.IFLA_LINKINFO {
			return nil
		}
		return attributes(data, func(a uint16, data []byte) error {
			if a == unix.IFLA_INFO_KIND {
				kind = nl.BytesToString(data)
			}
			return nil
		})
	})
	return kind, err
}

// checkName refuses what the kernel would cut or misread.
func checkName(name string) error {
	if len(name) >= unix.IFNAMSIZ {
		return unix.ENAMETOOLONG
	}
	if name == "" {
		return unix.EINVAL
	}
	return nil
}

// linkBody is the head of a link request; ifindex 0 leaves it to the name.
func linkBody(ifindex int) []byte {
	b := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], uint32(ifindex))
	return b
}

func (k *Kernel) changeLink(kind uint16, ifindex int, attr uint16, data []byte) error {
	body := linkBody(ifindex)
	if attr != 0 {
		body = appendAttr(body, attr, data)
	}
	_, err := k.do(unix.NETLINK_ROUTE, kind, unix.NLM_F_ACK, body)
	return err
}

// Destroy implements [Driver].
func (k *Kernel) Destroy(device int) error {
	return failed("destroy", number(device), k.changeLink(unix.RTM_DELLINK, device, 0, nil))
}

// AddPort implements [Driver].
func (k *Kernel) AddPort(device, port int) error {
	err := k.changeLink(unix.RTM_SETLINK, port, unix.IFLA_MASTER, binary.NativeEndian.AppendUint32(nil, uint32(device)))
	return failed("add port to "+number(device), number(port), err)
}

// RemovePort implements [Driver].
func (k *Kernel) RemovePort(device, port int) error {
	err := k.changeLink(unix.RTM_SETLINK, port, unix.IFLA_MASTER, make([]byte, 4))
	return failed("remove port from "+number(device), number(port), err)
}

// SetCarrier implements [Driver].
func (k *Kernel) SetCarrier(device int, up bool) error {
	value := []byte{0}
	if up {
		value[0] = 1
	}
	return failed("set carrier", number(device), k.changeLink(unix.RTM_SETLINK, device, unix.IFLA_CARRIER, value))
}
