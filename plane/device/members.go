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
)

// memberships are the multicast groups of all interfaces of a namespace, by ifindex.
// Netlink lists those of IPv6 only, and no sources.
type memberships struct {
	groups map[int][]agg.Group
	// version is the IGMP version that routers speak there.
	version map[int]int
}

// readMemberships reads those of the calling thread's namespace. A file that is not there
// is that of a kernel without IPv6, or without multicast.
func readMemberships() memberships {
	m := memberships{groups: map[int][]agg.Group{}, version: map[int]int{}}
	file := func(name string) string {
		b, _ := os.ReadFile("/proc/thread-self/net/" + name) // absent: empty
		return string(b)
	}
	m.readIGMP(file("igmp"))
	m.readIGMP6(file("igmp6"))
	m.readFilters(file("mcfilter"))
	m.readFilters(file("mcfilter6"))
	return m
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
				m.add(index, netip.AddrFrom4([4]byte(binary.NativeEndian.AppendUint32(nil, uint32(n)))))
			}
		default:
			index, _ = strconv.Atoi(words[0]) // 0 for the heading
			v, _ := strconv.Atoi(strings.TrimPrefix(words[len(words)-1], "V"))
			m.version[index] = v
		}
	}
}

// readIGMP6 reads /proc/net/igmp6: ifindex, name, group, and more.
func (m memberships) readIGMP6(text string) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 3 {
			continue
		}
		index, err := strconv.Atoi(words[0])
		group, ok := address(words[2])
		if err == nil && ok {
			m.add(index, group)
		}
	}
}

// add notes a group that reports are made of: not the one of all hosts, and none that
// does not leave the host.
func (m memberships) add(index int, group netip.Addr) {
	if group == netip.AddrFrom4([4]byte{224, 0, 0, 1}) || group == netip.IPv6LinkLocalAllNodes() ||
		group.Is6() && group.As16()[1]&0xf < 2 {
		return
	}
	m.groups[index] = append(m.groups[index], agg.Group{Address: group})
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
		if i := slices.IndexFunc(m.groups[index], func(g agg.Group) bool { return g.Address == group }); i >= 0 {
			m.groups[index][i].Sources = append(m.groups[index][i].Sources, source)
		}
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
