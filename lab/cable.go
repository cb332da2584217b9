package lab

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// cableEndpoint is one end of a cable.
type cableEndpoint struct {
	node   string // host or switch
	device string
	space  *space
	sw     *bridge // nil at a host
}

// cable joins two ends. One that leads to a switch is a veth pair, whose carrier the
// switch's end takes away. One between two hosts has a middle, a namespace of its own,
// because a host must not see its own device switched off when its cable is pulled.
// The middle is a bridge that floods, or, where frames shall be lost or held, a relay.
type cable struct {
	name   string
	ends   [2]cableEndpoint
	middle *space
	relay  *relay
	pulled bool
	gone   bool
	// harm describes silent faults, for pictures.
	harm string
}

// The devices in the middle of a cable.
var middleDevices = [2]string{"x0", "x1"} //nolint:gochecknoglobals // a constant

// newCable connects two ends. Host ends are left down.
func newCable(name string, ends [2]cableEndpoint, harmed bool) (*cable, error) {
	c := &cable{name: name, ends: ends}
	if harmed || (ends[0].sw == nil && ends[1].sw == nil) {
		middle, err := newSpace("cable " + name)
		if err != nil {
			return nil, err
		}
		c.middle = middle
	}
	if err := c.connect(harmed); err != nil {
		c.close()
		return nil, fmt.Errorf("connect cable %s: %w", name, err)
	}
	return c, nil
}

func (c *cable) connect(harmed bool) error {
	if c.middle == nil {
		err := c.ends[0].space.do(func() error {
			return addPair(c.ends[0].device, c.ends[1].space.fd, c.ends[1].device)
		})
		if err != nil {
			return err
		}
		return c.attachEnds()
	}
	err := c.middle.do(func() error {
		_ = sysctl("ipv6/conf/all/disable_ipv6", "1")
		_ = sysctl("ipv6/conf/default/disable_ipv6", "1")
		for i, e := range c.ends {
			if err := addPair(middleDevices[i], e.space.fd, e.device); err != nil {
				return err
			}
		}
		if harmed {
			return nil
		}
		return joinMiddle()
	})
	if err != nil {
		return err
	}
	if err := c.setCarrier(true); err != nil {
		return err
	}
	if harmed {
		if c.relay, err = newRelay(c.middle); err != nil {
			return err
		}
	}
	return c.attachEnds()
}

// joinMiddle makes a cable of a bridge: it never learns, so it sends every frame out
// of the other side, link-local protocols included.
func joinMiddle() error {
	snooping, ageing := false, uint32(0)
	br := &netlink.Bridge{
		LinkAttrs:         netlink.LinkAttrs{Name: bridgeDevice},
		MulticastSnooping: &snooping,
		AgeingTime:        &ageing,
	}
	if err := netlink.LinkAdd(br); err != nil {
		return fmt.Errorf("make bridge: %w", err)
	}
	for _, device := range middleDevices {
		l, err := netlink.LinkByName(device)
		if err != nil {
			return err
		}
		if err := netlink.LinkSetMaster(l, br); err != nil {
			return err
		}
		if err := setBridgeFlag(l.Attrs().Index, nl.IFLA_BRPORT_LEARNING, false); err != nil {
			return err
		}
		// All of 01:80:c2:00:00:0x but pause frames, which the kernel never forwards.
		mask := binary.NativeEndian.AppendUint16(nil, 0xfffd)
		if err := setBridgePort(l.Attrs().Index, nl.IFLA_BRPORT_GROUP_FWD_MASK, mask); err != nil {
			return err
		}
	}
	return setUp(bridgeDevice)
}

func (c *cable) attachEnds() error {
	for _, e := range c.ends {
		if e.sw != nil {
			if err := e.sw.attach(e.device); err != nil {
				return err
			}
		}
	}
	return nil
}

// setCarrier plugs or pulls the cable.
func (c *cable) setCarrier(on bool) error {
	if c.gone {
		return fmt.Errorf("cable %s has been removed", c.name)
	}
	defer c.refreshSwitches()
	c.pulled = !on
	if c.middle != nil {
		return c.middle.do(func() error {
			for _, device := range middleDevices {
				if err := setAdmin(device, on); err != nil {
					return err
				}
			}
			return nil
		})
	}
	e := c.switchEnd()
	return e.space.do(func() error { return setAdmin(e.device, on) })
}

// switchEnd is the end at a switch: of a cable without a middle there is one.
func (c *cable) switchEnd() cableEndpoint {
	if c.ends[0].sw != nil {
		return c.ends[0]
	}
	return c.ends[1]
}

func (c *cable) refreshSwitches() {
	for _, e := range c.ends {
		if e.sw != nil {
			e.sw.refresh()
		}
	}
}

// remove deletes the devices of the cable at both ends.
func (c *cable) remove() error {
	c.gone = true
	defer c.refreshSwitches()
	if c.relay != nil {
		c.relay.close()
		c.relay = nil
	}
	for _, e := range c.ends {
		if err := e.space.do(func() error { return deleteLink(e.device) }); err != nil {
			return fmt.Errorf("remove cable %s: %w", c.name, err)
		}
	}
	if c.middle == nil {
		return nil
	}
	return c.middle.do(func() error { return deleteLink(bridgeDevice) })
}

// insert makes the devices of a removed cable anew.
func (c *cable) insert(harmed bool) error {
	if !c.gone {
		return fmt.Errorf("insert cable %s: it is there", c.name)
	}
	c.gone, c.pulled, c.harm = false, false, ""
	return c.connect(harmed)
}

// harmFrom is what the relay does to frames from the named node, or from both where
// node is empty.
func (c *cable) setHarm(node string, h harm) error {
	if c.relay == nil {
		return fmt.Errorf("cable %s has no relay", c.name)
	}
	for i, e := range c.ends {
		if node == "" || e.node == node {
			c.relay.set(i, h)
		}
	}
	c.harm = h.String()
	if node != "" && c.harm != "" {
		c.harm += " from " + node
	}
	return nil
}

func (c *cable) close() {
	if c.relay != nil {
		c.relay.close()
	}
	if c.middle != nil {
		c.middle.close()
	}
}

// harm is what a relay does to frames of one direction.
type harm struct {
	percent int // of frames lost
	delay   time.Duration
}

// String describes the harm, empty for none.
func (h harm) String() string {
	var parts []string
	switch {
	case h.percent == 100:
		parts = append(parts, "loses all")
	case h.percent > 0:
		parts = append(parts, fmt.Sprintf("loses %d %%", h.percent))
	}
	if h.delay > 0 {
		parts = append(parts, fmt.Sprintf("holds for %v", h.delay))
	}
	return strings.Join(parts, ", ")
}

// hasCarrier reports the carrier of a device in the calling thread's namespace.
func hasCarrier(device string) bool {
	l, err := netlink.LinkByName(device)
	return err == nil && l.Attrs().RawFlags&unix.IFF_LOWER_UP != 0
}
