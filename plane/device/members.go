package device

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
)

// memberships are what files tell of the multicast groups of all interfaces of a namespace,
// by ifindex. Netlink lists the groups of IPv6, and no sources.
type memberships struct {
	groups map[int][]netip.Addr // those of IPv4
	// sources are read when there is a group that needs them.
	sources map[int]map[netip.Addr][]netip.Addr
	// version is the IGMP version that routers speak there.
	version map[int]int
}

// readMemberships reads those of the calling thread's namespace. A file that is not there
// is that of a kernel without IPv6, or without multicast.
func readMemberships() memberships {
	m := newMemberships()
	m.readIGMP(netFile("igmp"))
	return m
}

func newMemberships() memberships {
	return memberships{groups: map[int][]netip.Addr{}, version: map[int]int{}}
}

func netFile(name string) string {
	b, _ := os.ReadFile("/proc/thread-self/net/" + name) // absent: empty
	return string(b)
}

// of lists the groups of an interface that reports are made of: not the one of all hosts,
// and none that does not leave the host.
func (m *memberships) of(index int) ([]agg.Group, error) {
	six, err := iface.Groups6(index)
	if err != nil {
		return nil, err
	}
	if m.sources == nil && slices.ContainsFunc(slices.Concat(m.groups[index], six), sourceSpecific) {
		m.sources = map[int]map[netip.Addr][]netip.Addr{}
		m.readFilters(netFile("mcfilter"))
		m.readFilters(netFile("mcfilter6"))
	}
	return m.with(index, six), nil
}

func (m memberships) with(index int, six []netip.Addr) (out []agg.Group) {
	for _, group := range slices.Concat(m.groups[index], six) {
		if group == netip.AddrFrom4([4]byte{224, 0, 0, 1}) || group == netip.IPv6LinkLocalAllNodes() ||
			group.Is6() && group.As16()[1]&0xf < 2 {
			continue
		}
		out = append(out, agg.Group{Address: group, Sources: m.sources[index][group]})
	}
	return out
}

// readIGMP reads /proc/net/igmp: a line for each interface, with the version last, and
// behind it one for each group, which begins with the address as a number of this host.
func (m memberships) readIGMP(text string) {
	index := 0
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) < 3:
		case line[0] == ' ' || line[0] == '\t':
			n, err := strconv.ParseUint(words[0], 16, 32)
			if err == nil && index != 0 {
				m.groups[index] = append(m.groups[index], netip.AddrFrom4([4]byte(binary.NativeEndian.AppendUint32(nil, uint32(n)))))
			}
		default:
			index, _ = strconv.Atoi(words[0]) // 0 for the heading
			v, _ := strconv.Atoi(strings.TrimPrefix(words[len(words)-1], "V"))
			m.version[index] = v
		}
	}
}

// readFilters reads /proc/net/mcfilter or mcfilter6: ifindex, name, group, source, and
// how many sockets want and refuse it. Sources are told for the ranges that are made for
// them (232/8, ff30::/12): a report without sources means nothing there, and elsewhere it
// asks for no less than is wanted.
func (m memberships) readFilters(text string) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 6 {
			continue
		}
		index, err := strconv.Atoi(words[0])
		group, known := address(words[2])
		source, ok := address(words[3])
		if err != nil || !known || !ok || words[4] == "0" || !sourceSpecific(group) {
			continue
		}
		if m.sources[index] == nil {
			m.sources[index] = map[netip.Addr][]netip.Addr{}
		}
		m.sources[index][group] = append(m.sources[index][group], source)
	}
}

func sourceSpecific(group netip.Addr) bool {
	if group.Is4() {
		return group.As4()[0] == 232
	}
	return group.As16()[1]>>4 == 3
}

// address reads the bytes of an address in network order as hexadecimal digits.
func address(text string) (netip.Addr, bool) {
	b, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil {
		return netip.Addr{}, false
	}
	return netip.AddrFromSlice(b)
}
