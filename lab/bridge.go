package lab

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// bridgeDevice is the name of the bridge in a switch's namespace.
const bridgeDevice = "br0"

// bridge is a switch: a Linux bridge that also knows static port groups.
//
// A Linux bridge has no groups, but it has what they need. Members are isolated, so
// that nothing goes from one to another. Only one member, the designated one, learns
// and takes flooded frames, so that the group's aggregate gets one copy. Every frame
// towards the aggregate therefore leaves by the designated member; a hardware switch
// would spread them. When the designated member loses its carrier the next one
// replaces it.
type bridge struct {
	space  *space
	groups map[string][]string // device names, in order
	// uplinks are the device names of those without which the others get no carrier.
	uplinks []string

	mu         sync.Mutex
	designated map[string]string
	downlinks  []*cable // of a switch that tracks its uplinks
	stopped    bool
	stop       chan struct{}
}

func newBridge(name string, def Switch) (*bridge, error) {
	s, err := newSpace(name)
	if err != nil {
		return nil, err
	}
	b := &bridge{
		space: s, groups: def.Groups, uplinks: def.UplinkTracking,
		designated: map[string]string{}, stop: make(chan struct{}),
	}
	if err := s.do(b.setUp); err != nil {
		b.close()
		return nil, fmt.Errorf("make switch %s: %w", name, err)
	}
	return b, nil
}

func (b *bridge) setUp() error {
	beSilent()
	snooping := false
	err := netlink.LinkAdd(&netlink.Bridge{
		LinkAttrs:         netlink.LinkAttrs{Name: bridgeDevice},
		MulticastSnooping: &snooping,
	})
	if err != nil {
		return fmt.Errorf("make bridge: %w", err)
	}
	if b.active() {
		if err := watchLinks(b.stop, b.refresh); err != nil {
			return err
		}
	}
	return setUp(bridgeDevice)
}

// active reports whether the switch acts on changes of its links.
func (b *bridge) active() bool { return len(b.groups) > 0 || len(b.uplinks) > 0 }

func (b *bridge) where() *space { return b.space }

func (b *bridge) bare() bool { return false } // frames keep their offload metadata

// regroup is for groups that speak: a file that asks it of a bridge is refused.
func (b *bridge) regroup(context.Context, string, bool) error {
	return fmt.Errorf("switch %s is a bridge", b.space.name)
}

// show tells which member takes what is flooded to a group.
func (b *bridge) show(context.Context) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out strings.Builder
	for _, group := range sortedKeys(b.groups) {
		fmt.Fprintf(&out, "group %s: %s of %s\n", group, b.designated[group], strings.Join(b.groups[group], ", "))
	}
	return out.String(), nil
}

// attach makes a device of the switch's namespace a port of it.
func (b *bridge) attach(device string) error {
	err := b.space.do(func() error {
		l, err := netlink.LinkByName(device)
		if err != nil {
			return err
		}
		br, err := netlink.LinkByName(bridgeDevice)
		if err != nil {
			return err
		}
		if err := netlink.LinkSetMaster(l, br); err != nil {
			return err
		}
		if b.groupOf(device) != "" {
			if err := b.setMember(l.Attrs().Index, false); err != nil {
				return err
			}
			if err := setBridgeFlag(l.Attrs().Index, nl.IFLA_BRPORT_ISOLATED, true); err != nil {
				return err
			}
		}
		return netlink.LinkSetUp(l)
	})
	if err != nil {
		return fmt.Errorf("attach %s to switch %s: %w", device, b.space.name, err)
	}
	b.mu.Lock()
	delete(b.designated, b.groupOf(device)) // its flags are new: choose and set again
	b.mu.Unlock()
	b.refresh()
	return nil
}

func (b *bridge) groupOf(device string) string {
	for g, members := range b.groups {
		if slices.Contains(members, device) {
			return g
		}
	}
	return ""
}

// refresh designates in each group the first member that has a link, and gives carrier
// to the downlinks if an uplink has it. It is called on link events, and at once by
// faults of the lab's own, so that the switch is not slower than the hardware it stands
// for.
func (b *bridge) refresh() {
	if !b.active() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return
	}
	uplink := false
	_ = b.space.do(func() error {
		for _, g := range slices.Sorted(maps.Keys(b.groups)) {
			b.refreshGroup(g)
		}
		uplink = slices.ContainsFunc(b.uplinks, hasCarrier)
		return nil
	})
	for _, c := range b.downlinks {
		_ = c.setCut(b, !uplink) // fails where its devices go away at this moment
	}
}

// track lets a switch that tracks its uplinks govern a cable.
func (b *bridge) track(c *cable) {
	if len(b.uplinks) == 0 || slices.Contains(b.uplinks, c.name) {
		return
	}
	b.mu.Lock()
	b.downlinks = append(b.downlinks, c)
	b.mu.Unlock()
	b.refresh()
}

func (b *bridge) refreshGroup(group string) {
	chosen := ""
	index := map[string]int{}
	for _, device := range b.groups[group] {
		l, err := netlink.LinkByName(device)
		if err != nil {
			continue
		}
		index[device] = l.Attrs().Index
		if l.Attrs().RawFlags&unix.IFF_LOWER_UP == 0 {
			continue
		}
		// The one that is designated stays: a link that has just come back does not
		// forward yet.
		if chosen == "" || device == b.designated[group] {
			chosen = device
		}
	}
	if chosen == "" || chosen == b.designated[group] {
		return
	}
	// The new one first: a copy too many for a moment beats none.
	for device, i := range index {
		if device == chosen && b.setMember(i, true) != nil {
			return
		}
	}
	for device, i := range index {
		if device != chosen {
			_ = b.setMember(i, false)
		}
	}
	b.designated[group] = chosen
}

// setMember lets a member take flooded frames and learn, or not.
func (b *bridge) setMember(index int, designated bool) error {
	for _, flag := range []int{
		nl.IFLA_BRPORT_UNICAST_FLOOD, nl.IFLA_BRPORT_MCAST_FLOOD,
		nl.IFLA_BRPORT_BCAST_FLOOD, nl.IFLA_BRPORT_LEARNING,
	} {
		if err := setBridgeFlag(index, flag, designated); err != nil {
			return err
		}
	}
	return nil
}

// halt makes the switch act no more. Its bridge goes on forwarding.
func (b *bridge) halt() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.stopped {
		b.stopped = true
		close(b.stop)
	}
}

func (b *bridge) close() {
	b.halt()
	b.space.close()
}
