package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/vishvananda/netlink"
)

// vethCables lead to a bridge in another host; pulling one sets its far end down.
type vethCables struct {
	nearHost, far *host
	streams       sockets
}

var portNames = [2]string{"eth0", "eth1"} //nolint:gochecknoglobals // a constant in all but syntax

// newVethCables makes pairs whose ends have different numbers, as nearly all have: the
// kernel tells of their carrier at once.
func newVethCables() (cables, error) {
	c := &vethCables{}
	var err error
	if c.nearHost, err = newHost(); err != nil {
		return nil, err
	}
	if c.far, err = newHost(); err != nil {
		c.close()
		return nil, err
	}
	// An interface first in one host moves the numbers apart.
	err = errors.Join(c.far.bridge("pad"), cable(c.nearHost, c.far, "eth0"), cable(c.nearHost, c.far, "eth1"),
		c.far.bridge("br0", portNames[:]...), c.far.address("br0", farAggregate+"/24"))
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *vethCables) near() *host      { return c.nearHost }
func (c *vethCables) pull(i int) error { return c.far.down(portNames[i]) }

// plug waits until the kernel there has taken note: before, the bridge does not forward
// by the port, and the next pull would measure the bridge.
func (c *vethCables) plug(i int) error {
	if err := c.far.up(portNames[i]); err != nil {
		return err
	}
	for limit := time.Now().Add(patience); time.Now().Before(limit); time.Sleep(time.Millisecond) {
		l, err := c.far.nl.LinkByName(portNames[i])
		if err != nil || l.Attrs().OperState == netlink.OperUp {
			return err
		}
	}
	return fmt.Errorf("%s at the bridge does not come up", portNames[i])
}

func (c *vethCables) open(out, in *numbered) (func(int), func(int), error) {
	sendOut, err := c.streams.between(c.nearHost, c.far, nearAggregate, farAggregate, out)
	if err != nil {
		return nil, nil, err
	}
	sendIn, err := c.streams.between(c.far, c.nearHost, farAggregate, nearAggregate, in)
	return sendOut, sendIn, err
}

func (c *vethCables) close() {
	c.streams.close()
	for _, h := range []*host{c.nearHost, c.far} {
		if h != nil {
			h.close()
		}
	}
}
