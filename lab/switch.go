package lab

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/vishvananda/netlink"
)

// The kinds of switches.
const (
	kindBridge = "bridge"
	kindLACP   = "lacp"
	kindOVS    = "ovs"
)

// switchNode is a switch of a lab, of whatever kind.
type switchNode interface {
	// where is the namespace that the cables' ends are in.
	where() *space
	// attach makes a device of that namespace a port of the switch. A device that was there
	// before by that name is gone.
	attach(device string) error
	// refresh looks at the links again. It is called by faults of the lab's own, so that a
	// switch is not slower than the hardware it stands for.
	refresh()
	// track tells the switch of a cable that leads to it.
	track(c *cable)
	// regroup makes the switch forget a group, or know it again.
	regroup(ctx context.Context, group string, known bool) error
	// show is what the switch itself says of its groups, for people.
	show(ctx context.Context) (string, error)
	// bare tells that the switch sends on what it gets, so that who sends to it must have
	// finished the checksums.
	bare() bool
	// halt makes the switch act no more on what happens to its cables.
	halt()
	close()
}

// newSwitch makes a switch of the lab.
func (l *Lab) newSwitch(ctx context.Context, name string) (switchNode, error) {
	def := l.file.Switches[name]
	switch def.Kind {
	case kindLACP:
		return newFabric(name, def)
	case kindOVS:
		return newOVS(ctx, name, filepath.Join(l.dir, "switch-"+name), def)
	default:
		return newBridge(name, def)
	}
}

// Show returns what a switch says of its groups: of kind lacp the state of its machines,
// of kind ovs what lacp/show prints.
func (l *Lab) Show(ctx context.Context, name string) (string, error) {
	s, ok := l.switches[name]
	if !ok {
		return "", fmt.Errorf("there is no switch %q", name)
	}
	return s.show(ctx)
}

// beSilent keeps the kernel of a switch's namespace from speaking by itself: a switch has no
// address of its own to speak with. It fails only where there is no IPv6.
func beSilent() {
	_ = setSysctl("ipv6/conf/all/disable_ipv6")
	_ = setSysctl("ipv6/conf/default/disable_ipv6")
}

// watchLinks calls changed after each change of a link in the calling thread's namespace,
// until stop is closed.
func watchLinks(stop chan struct{}, changed func()) error {
	updates := make(chan netlink.LinkUpdate, 64)
	if err := netlink.LinkSubscribe(updates, stop); err != nil {
		return fmt.Errorf("watch links: %w", err)
	}
	go func() {
		for range updates {
			changed()
		}
	}()
	return nil
}
