package team

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink/nl"
)

// Numbers of include/uapi/linux/if_team.h.
const (
	familyName = "team"
	familyVer  = 1
	groupName  = "change_event"

	cmdOptionsSet = 1
	cmdOptionsGet = 2
	cmdPortsGet   = 3

	attrIfindex = 1
	attrOptions = 2
	attrPorts   = 3
	attrItem    = 1

	optName    = 1
	optType    = 3
	optData    = 4
	optRemoved = 5
	optPort    = 6
	optIndex   = 7

	portIfindex = 1
	portLinkup  = 3
	portSpeed   = 4
	portDuplex  = 5
	portRemoved = 6

	genlHeader = 4
	attrMask   = 0x3fff // without the flags NESTED and NET_BYTEORDER
	nested     = 0x8000
	duplexFull = 1
)

var errShort = errors.New("the message is cut short")

// attributes calls fn for each attribute of b.
func attributes(b []byte, fn func(kind uint16, data []byte) error) error {
	for len(b) > 0 {
		if len(b) < 4 {
			return errShort
		}
		n := int(binary.NativeEndian.Uint16(b))
		if n < 4 || n > len(b) {
			return errShort
		}
		if err := fn(binary.NativeEndian.Uint16(b[2:])&attrMask, b[4:n]); err != nil {
			return err
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return nil
}

func readU32(b []byte) (uint32, error) {
	if len(b) < 4 {
		return 0, errShort
	}
	return binary.NativeEndian.Uint32(b), nil
}

// message is what one message of the driver says of a device.
type message struct {
	command uint8
	ifindex int
	options []Option
	ports   []Port
}

// parseMessage reads one, from the generic netlink header on.
func parseMessage(b []byte) (m message, err error) {
	if len(b) < genlHeader {
		return m, errShort
	}
	m.command = b[0]
	err = attributes(b[genlHeader:], func(kind uint16, data []byte) error {
		switch kind {
		case attrIfindex:
			n, err := readU32(data)
			m.ifindex = int(n)
			return err
		case attrOptions:
			return attributes(data, func(_ uint16, item []byte) error {
				o, err := parseOption(item)
				m.options = append(m.options, o)
				return err
			})
		case attrPorts:
			return attributes(data, func(_ uint16, item []byte) error {
				p, err := parsePort(item)
				m.ports = append(m.ports, p)
				return err
			})
		}
		return nil
	})
	if err != nil {
		return message{}, fmt.Errorf("parse the driver's message: %w", err)
	}
	return m, nil
}

func parseOption(b []byte) (o Option, err error) {
	var kind Type
	var data []byte
	present := false
	err = attributes(b, func(attr uint16, v []byte) error {
		switch attr {
		case optName:
			o.Name = nl.BytesToString(v)
		case optType:
			if len(v) < 1 {
				return errShort
			}
			kind = Type(v[0])
		case optData:
			data, present = v, true
		case optRemoved:
			o.Removed = true
		case optPort:
			n, err := readU32(v)
			o.Port = int(n)
			return err
		case optIndex:
			n, err := readU32(v)
			o.Array, o.Index = true, int(n)
			return err
		}
		return nil
	})
	if err == nil {
		o.Value, err = parseData(kind, data, present)
	}
	return o, err
}

func parseData(kind Type, data []byte, present bool) (Value, error) {
	switch kind {
	case Bool:
		return BoolValue(present), nil
	case U32, S32:
		if !present { // a removed option need not have a value
			return Value{kind: kind}, nil
		}
		n, err := readU32(data)
		if kind == S32 {
			return S32Value(int32(n)), err
		}
		return U32Value(n), err
	case String:
		return StringValue(nl.BytesToString(data)), nil
	default:
		return Value{kind: kind, data: string(data)}, nil
	}
}

func parsePort(b []byte) (p Port, err error) {
	err = attributes(b, func(attr uint16, v []byte) error {
		switch attr {
		case portIfindex:
			n, err := readU32(v)
			p.Index = int(n)
			return err
		case portLinkup:
			p.Link = true
		case portSpeed:
			n, err := readU32(v)
			p.Speed = n
			return err
		case portDuplex:
			p.FullDuplex = len(v) > 0 && v[0] == duplexFull
		case portRemoved:
			p.Removed = true
		}
		return nil
	})
	return p, err
}

// appendAttr appends an attribute, padded.
func appendAttr(b []byte, kind uint16, data []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(4+len(data)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, data...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// request is a request for a device, with options to set.
func request(command uint8, ifindex int, options []Option) []byte {
	b := []byte{command, familyVer, 0, 0}
	b = appendAttr(b, attrIfindex, binary.NativeEndian.AppendUint32(nil, uint32(ifindex)))
	if len(options) == 0 {
		return b
	}
	var items []byte
	for _, o := range options {
		items = appendAttr(items, attrItem|nested, appendOption(nil, o))
	}
	return appendAttr(b, attrOptions|nested, items)
}

func appendOption(b []byte, o Option) []byte {
	b = appendAttr(b, optName, append([]byte(o.Name), 0))
	b = appendAttr(b, optType, []byte{byte(o.Value.kind)})
	switch o.Value.kind {
	case Bool:
		if o.Value.Bool() {
			b = appendAttr(b, optData, nil)
		}
	case U32, S32:
		b = appendAttr(b, optData, binary.NativeEndian.AppendUint32(nil, uint32(o.Value.n)))
	case String:
		b = appendAttr(b, optData, append([]byte(o.Value.data), 0))
	default:
		b = appendAttr(b, optData, []byte(o.Value.data))
	}
	if o.Port != 0 {
		b = appendAttr(b, optPort, binary.NativeEndian.AppendUint32(nil, uint32(o.Port)))
	}
	if o.Array {
		b = appendAttr(b, optIndex, binary.NativeEndian.AppendUint32(nil, uint32(o.Index)))
	}
	return b
}
