package lab

import (
	"fmt"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// cableEndpoint is one end of a cable.
type cableEndpoint struct {
	node   string // host or switch
	device string
	space  *space
	sw     switchNode // nil at a host
}

// cable joins two ends. One that leads to a switch is a veth pair, whose carrier the
// switch's end takes away. One between two hosts has a middle, a namespace of its own,
// because a host must not see its own device switched off when its cable is pulled.
// The middle redirects frames in the kernel, or, where some shall be lost or held, in
// a relay.
type cable struct {
	name   string
	ends   [2]cableEndpoint
	middle *space
	relay  *relay
	// taps are the tap devices that stand for veth ends at hosts, by end, nil elsewhere.
	taps [2]*tap

	// mu guards what switches share with the lab.
	mu     sync.Mutex
	pulled bool
	// cut is set by the switch at that end, which takes the carrier away while its uplinks
	// have none.
	cut  [2]bool
	gone bool
	// harms are the silent faults, by the end that frames come from, and harm describes
	// them for pictures.
	harms [2]harm
	harm  string
}

// The devices in the middle of a cable.
var middleDevices = [2]string{"x0", "x1"} //nolint:gochecknoglobals // a constant

// needs is what the faults of a cable ask of it from the start.
type needs struct {
	// relay: frames are lost, held and so on.
	relay bool
	// speed: the speed that hosts see changes, so that their ends are taps.
	speed bool
}

// newCable connects two ends. Host ends are left down.
func newCable(name string, ends [2]cableEndpoint, n needs) (*cable, error) {
	c := &cable{name: name, ends: ends}
	if n.relay || n.speed || (ends[0].sw == nil && ends[1].sw == nil) {
		middle, err := newSpace("cable " + name)
		if err != nil {
			return nil, err
		}
		c.middle = middle
	}
	if err := c.connect(n); err != nil {
		c.close()
		return nil, fmt.Errorf("connect cable %s: %w", name, err)
	}
	return c, nil
}

func (c *cable) connect(n needs) error {
	if c.middle == nil {
		err := c.ends[0].space.do(func() error {
			return addPair(c.ends[0].device, c.ends[1].space.fd, c.ends[1].device)
		})
		if err != nil {
			return err
		}
		return c.attachEnds()
	}
	if n.speed {
		if err := c.openTaps(); err != nil {
			return err
		}
	}
	err := c.middle.do(func() error {
		_ = setSysctl("ipv6/conf/all/disable_ipv6")
		_ = setSysctl("ipv6/conf/default/disable_ipv6")
		for i, e := range c.ends {
			if c.taps[i] != nil {
				continue
			}
			if err := addPair(middleDevices[i], e.space.fd, e.device); err != nil {
				return err
			}
		}
		if n.relay || n.speed {
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
	if n.relay || n.speed {
		if c.relay, err = newRelay(c.middle, c.taps); err != nil {
			return err
		}
	}
	return c.attachEnds()
}

// joinMiddle makes a cable of the two devices in the middle: whatever comes out of one
// leaves by the other. A bridge would not do, because it forwards only some time after
// it gives carrier.
func joinMiddle() error {
	var index [2]int
	for i, device := range middleDevices {
		l, err := netlink.LinkByName(device)
		if err != nil {
			return err
		}
		index[i] = l.Attrs().Index
	}
	for i := range index {
		if err := redirect(index[i], index[1-i]); err != nil {
			return fmt.Errorf("redirect frames (the kernel needs sch_ingress, cls_u32 and act_mirred): %w", err)
		}
	}
	return nil
}

// redirect sends everything that a device receives out of another.
func redirect(from, to int) error {
	ingress := netlink.MakeHandle(0xffff, 0)
	err := netlink.QdiscAdd(&netlink.Ingress{QdiscAttrs: netlink.QdiscAttrs{
		LinkIndex: from, Handle: ingress, Parent: netlink.HANDLE_INGRESS,
	}})
	if err != nil {
		return fmt.Errorf("add ingress qdisc: %w", err)
	}
	err = netlink.FilterAdd(&netlink.U32{ // without a selector it matches everything
		FilterAttrs: netlink.FilterAttrs{LinkIndex: from, Parent: ingress, Priority: 1, Protocol: unix.ETH_P_ALL},
		Actions:     []netlink.Action{netlink.NewMirredAction(to)},
	})
	if err != nil {
		return fmt.Errorf("add filter: %w", err)
	}
	return nil
}

func (c *cable) attachEnds() error {
	for i, e := range c.ends {
		if e.sw == nil {
			continue
		}
		if err := e.sw.attach(e.device); err != nil {
			return err
		}
		other := c.ends[1-i]
		if e.sw.bare() && c.taps[1-i] == nil {
			if err := other.space.do(func() error { return finishChecksums(other.device) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// setCarrier plugs or pulls the cable.
func (c *cable) setCarrier(on bool) error {
	defer c.refreshSwitches()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return fmt.Errorf("cable %s has been removed", c.name)
	}
	c.pulled = !on
	return c.showCarrier()
}

// setCut takes the carrier away in the name of a switch at an end, or gives it back.
func (c *cable) setCut(by switchNode, cut bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := false
	for i, e := range c.ends {
		if e.sw == by && c.cut[i] != cut {
			c.cut[i], changed = cut, true
		}
	}
	if !changed || c.gone {
		return nil
	}
	return c.showCarrier()
}

// showCarrier makes the devices of the cable as it is. mu is held.
func (c *cable) showCarrier() error {
	on := !c.pulled && !c.cut[0] && !c.cut[1]
	if c.middle != nil {
		return c.middle.do(func() error {
			for i, device := range middleDevices {
				show := func() error { return setAdmin(device, on) }
				if c.taps[i] != nil {
					show = func() error { return c.taps[i].setCarrier(on) }
				}
				if err := show(); err != nil {
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
	c.mu.Lock()
	c.gone = true
	c.mu.Unlock()
	defer c.refreshSwitches()
	if c.relay != nil {
		c.relay.close()
		c.relay = nil
	}
	c.closeTaps()
	for _, e := range c.ends {
		if err := e.space.do(func() error { return deleteLink(e.device) }); err != nil {
			return fmt.Errorf("remove cable %s: %w", c.name, err)
		}
	}
	return nil
}

// insert makes the devices of a removed cable anew.
func (c *cable) insert(n needs) error {
	if !c.gone {
		return fmt.Errorf("insert cable %s: it is there", c.name)
	}
	c.mu.Lock()
	c.gone, c.pulled, c.cut, c.harms, c.harm = false, false, [2]bool{}, [2]harm{}, ""
	c.mu.Unlock()
	return c.connect(n)
}

// suffer adds a fault to what the relay does to frames from the named node, or from both
// where node is empty.
func (c *cable) suffer(f Fault) error {
	if c.relay == nil {
		return fmt.Errorf("cable %s has no relay", c.name)
	}
	var all []string
	for i, e := range c.ends {
		if f.From == "" || e.node == f.From {
			c.harms[i] = c.harms[i].with(f)
			c.relay.set(i, c.harms[i])
		}
		if text := c.harms[i].String(); text != "" {
			all = append(all, text+" from "+e.node)
		}
	}
	c.harm = strings.Join(all, "; ")
	if c.harms[0] == c.harms[1] {
		c.harm = c.harms[0].String()
	}
	return nil
}

func (c *cable) close() {
	if c.relay != nil {
		c.relay.close()
	}
	c.closeTaps()
	if c.middle != nil {
		c.middle.close()
	}
}

// hasCarrier reports the carrier of a device in the calling thread's namespace.
func hasCarrier(device string) bool {
	l, err := netlink.LinkByName(device)
	return err == nil && l.Attrs().RawFlags&unix.IFF_LOWER_UP != 0
}
