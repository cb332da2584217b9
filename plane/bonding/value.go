package bonding

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yokelag/yoke/agg"
)

// Values are options by name, as the kernel counts them: decimal numbers, also for words
// and ifindexes, times in milliseconds (lp_interval in seconds), addresses as text, lists
// separated by commas. Unset ports, addresses and lists are "0", zero and "".
type Values map[string]string

var errShort = errors.New("the message is cut short")

// decode reads the payload of an attribute.
func (a Attribute) decode(b []byte) (string, error) {
	size := map[Form]int{U8: 1, U16: 2, U32: 4, S32: 4, Index: 4, Address: 6}[a.Form]
	if len(b) < size {
		return "", fmt.Errorf("%s: %w", a.Name, errShort)
	}
	switch a.Form {
	case U8:
		return strconv.Itoa(int(b[0])), nil
	case U16:
		return strconv.Itoa(int(binary.NativeEndian.Uint16(b))), nil
	case S32:
		return strconv.Itoa(int(int32(binary.NativeEndian.Uint32(b)))), nil
	case Address:
		return net.HardwareAddr(b[:6]).String(), nil
	case IPv4List, IPv6List:
		return decodeList(b)
	default:
		return strconv.FormatUint(uint64(binary.NativeEndian.Uint32(b)), 10), nil
	}
}

func decodeList(b []byte) (string, error) {
	var out []string
	err := attributes(b, func(_ int, data []byte) error {
		addr, ok := netip.AddrFromSlice(data)
		if !ok {
			return errShort
		}
		out = append(out, addr.String())
		return nil
	})
	return strings.Join(out, ","), err
}

// encode writes the payload of an attribute.
func (a Attribute) encode(value string) ([]byte, error) {
	switch a.Form {
	case Address:
		m, err := agg.ParseMAC(value)
		return m[:], err
	case IPv4List, IPv6List:
		return encodeList(value)
	default: // a number
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || bits.Len64(uint64(max(n, 0))) > 32 {
		return nil, fmt.Errorf("%s=%q is not a number of the kernel", a.Name, value)
	}
	switch a.Form {
	case U8:
		return []byte{byte(n)}, nil
	case U16:
		return binary.NativeEndian.AppendUint16(nil, uint16(n)), nil
	default:
		return binary.NativeEndian.AppendUint32(nil, uint32(n)), nil
	}
}

func encodeList(value string) ([]byte, error) {
	var out []byte
	for i, word := range words(value) {
		addr, err := netip.ParseAddr(word)
		if err != nil {
			return nil, err
		}
		out = appendAttribute(out, i, addr.AsSlice())
	}
	return out, nil
}

func words(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// unset is the value of an attribute that is not reported.
func (a Attribute) unset() string {
	switch a.Form {
	case Address:
		return agg.MAC{}.String()
	case IPv4List, IPv6List:
		return ""
	default:
		return "0"
	}
}

// Kernel turns an option's text, as a spec has it, into the kernel's value. The names of
// ports become their numbers by index. The error is an [agg.Problem].
func (a Attribute) Kernel(object, text string, index func(name string) int) (string, error) {
	scope := agg.OfBoth
	o, ok := agg.Lookup(a.Name, scope)
	if !ok {
		return "", fmt.Errorf("%s is not in the options table", a.Name)
	}
	if a.Form == Index {
		return strconv.Itoa(index(strings.TrimSpace(text))), nil
	}
	canonical, err := o.Canonical(text)
	if err != nil {
		if p, ok := errors.AsType[*agg.Problem](err); ok {
			q := *p
			q.Object = object
			err = &q
		}
		return "", err
	}
	return a.number(object, o, canonical)
}

func (a Attribute) number(object string, o *agg.Option, canonical string) (string, error) {
	bad := func(rule, remedy string) (string, error) {
		return "", &agg.Problem{Code: "invalid-value", Object: object, Option: a.Name, Value: canonical, Rule: rule, Remedy: remedy}
	}
	switch a.Form {
	case Address:
		if m, err := agg.ParseMAC(canonical); err != nil || m.IsMulticast() {
			return bad("must be a unicast address, or all zero for the bond's own", a.Name+"=00:00:00:00:00:00")
		}
		return canonical, nil
	case IPv4List, IPv6List:
		return a.targets(canonical, bad)
	default: // a number
	}
	n, err := amount(o, canonical)
	if err != nil {
		return bad("must be a number", a.Name+"="+o.Default)
	}
	if n < a.Min || n > a.Max {
		return bad(fmt.Sprintf("the bonding driver takes %d to %d", a.Min, a.Max), fmt.Sprintf("%s=%d", a.Name, min(max(n, a.Min), a.Max)))
	}
	return strconv.FormatInt(n, 10), nil
}

// amount is a canonical text as the kernel counts.
func amount(o *agg.Option, canonical string) (int64, error) {
	for _, v := range o.Values {
		if v.Text == canonical {
			return int64(v.Number), nil
		}
	}
	switch o.Kind {
	case agg.KindBool:
		if canonical == "on" {
			return 1, nil
		}
		return 0, nil
	case agg.KindDuration:
		d, err := time.ParseDuration(canonical)
		unit := time.Millisecond
		if o.Name == "lp_interval" {
			unit = time.Second
		}
		return int64(d / unit), err
	default:
		return strconv.ParseInt(canonical, 10, 64)
	}
}

// maxTargets is BOND_MAX_ARP_TARGETS and BOND_MAX_NS_TARGETS.
const maxTargets = 16

func (a Attribute) targets(text string, bad func(rule, remedy string) (string, error)) (string, error) {
	var out []string
	for _, word := range words(text) {
		addr, err := netip.ParseAddr(word)
		switch {
		case err != nil || addr.Is4() != (a.Form == IPv4List):
			return bad(fmt.Sprintf("%q is no address of this kind", word), "write addresses separated by commas, without signs")
		case addr.Is4() && (addr.As4()[0] == 0 || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255})):
			return bad(word+" cannot be asked for a sign of life", "name hosts that answer, a router say")
		case addr.IsUnspecified() || addr.IsLoopback() && addr.Is6() || addr.IsMulticast() && addr.Is6():
			return bad(word+" cannot be asked for a sign of life", "name hosts that answer, a router say")
		case slices.Contains(out, addr.String()):
			return bad(word+" is there twice", "leave one of them out")
		}
		out = append(out, addr.String())
	}
	if len(out) > maxTargets {
		return bad(fmt.Sprintf("%d targets; the driver takes %d", len(out), maxTargets), "leave some out")
	}
	return strings.Join(out, ","), nil
}
