package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"time"
)

// The parts of the table.
const (
	partTransmit  = "transmit"
	partUnguarded = "transmit, without guard"
	partGuard     = "guard alone"
	partReceive   = "receive"
	partBroadcast = "receive broadcast"
	partNAPI      = "receive, NAPI ports"
	partFromOther = "transmit, aggregate in another namespace"
	partToOther   = "receive, aggregate in another namespace"
)

// counting measures subject after subject.
type counting struct {
	w    *world
	rep  *report
	bare map[string]figure // by part; those of another process as paced(part)
	// port is where the aggregate's frames leave, or most of them, and so where it receives.
	port string
}

// paced is the part of the bare port under countPaced.
func paced(part string) string { return part + ", paced" }

// countAll measures the bare port and then each subject that is wanted.
func countAll(w *world, rep *report, wanted func(subject) bool) error {
	c := &counting{w: w, rep: rep, bare: map[string]figure{}, port: ports[0]}
	if err := w.cables(); err != nil {
		return err
	}
	for _, name := range ports {
		if err := w.far.dropAll(name, true); err != nil {
			return err
		}
	}
	rep.Setup = w.ran()
	if err := c.measureBare(); err != nil {
		return fmt.Errorf("bare port: %w", err)
	}
	list := slices.DeleteFunc(subjects(), func(s subject) bool { return !wanted(s) })
	for i, s := range list {
		rep.progress("%d of %d: %s, %s", i+1, len(list), s.by, s.mode)
		if err := c.measure(s); err != nil {
			return err // the ports are not as they were
		}
		rep.keep()
	}
	compare(rep.Rows)
	return nil
}

func (c *counting) measureBare() error {
	w := c.w
	if err := w.near.dropAll("eth0", true); err != nil {
		return err
	}
	for _, m := range []struct {
		part      string
		from, to  *host
		broadcast bool
	}{
		{partTransmit, w.near, w.far, false}, {partReceive, w.far, w.near, false}, {partBroadcast, w.far, w.near, true},
	} {
		s, err := between(m.from, "eth0", m.to, "eth0", m.broadcast)
		if err != nil {
			return err
		}
		arrived := func() (int, error) { return m.to.dropped("eth0") }
		f, err := count(s, 1, arrived)
		if err != nil {
			return err
		}
		c.bare[m.part] = f
		if f, err = countPaced(s, arrived); err != nil {
			return err
		}
		c.bare[paced(m.part)] = f
		s.close()
	}
	if err := c.bareNAPI(); err != nil {
		return err
	}
	for _, part := range slices.Sorted(maps.Keys(c.bare)) {
		f := c.bare[part]
		c.rep.add(row{Part: part, By: byBare, Bare: f.Instructions, Raw: f})
	}
	c.rep.Setup = append(c.rep.Setup, w.ran()...)
	return w.near.undrop("eth0", true)
}

func (c *counting) bareNAPI() error {
	if err := c.setNAPI(true); err != nil {
		return err
	}
	s, err := between(c.w.far, "eth0", c.w.near, "eth0", false)
	if err != nil {
		return err
	}
	defer s.close()
	f, err := count(s, 1, func() (int, error) { return c.w.near.dropped("eth0") })
	c.bare[partNAPI] = f
	return errors.Join(err, c.setNAPI(false))
}

// setNAPI has the near end of a cable receive by NAPI, as real devices do, or no more. A veth
// device does so with GRO, for frames of senders that cut their segments themselves.
func (c *counting) setNAPI(on bool) error {
	gro, tso := "off", "on"
	if on {
		gro, tso = "on", "off"
	}
	return errors.Join(c.w.near.command("ethtool", "-K", c.port, "gro", gro), c.w.far.command("ethtool", "-K", c.port, "tso", tso))
}

// between is a sender on an interface to the address that another has, or to all.
func between(from *host, device string, to *host, target string, broadcast bool) (*sender, error) {
	l, err := to.link(target)
	if err != nil {
		return nil, err
	}
	mac := l.Attrs().HardwareAddr
	if broadcast {
		mac = net.HardwareAddr{255, 255, 255, 255, 255, 255}
	}
	return newSender(from, device, mac)
}

// measure makes a subject, measures all that it has, and takes it apart. Only an error in
// taking apart is one of the whole run.
func (c *counting) measure(s subject) error {
	w := c.w
	w.ran()
	if s.partner {
		if err := c.addPartner(); err != nil {
			return err
		}
	}
	err := s.make(w, w.near)
	if err == nil {
		err = c.measureMade(s)
	}
	if err != nil {
		c.rep.add(row{Part: partTransmit, By: s.by, Mode: s.mode, Failed: err.Error(), Commands: w.ran()})
	}
	w.thaw()
	undo := s.drop(w, w.near)
	if err != nil && undo != nil {
		undo = nil // what was not made cannot be taken apart
	}
	if s.partner {
		undo = errors.Join(undo, w.far.ip("link del far0", "link set eth0 up", "link set eth1 up"))
	}
	return undo
}

// addPartner joins the far ends by the bonding driver, which speaks LACP.
func (c *counting) addPartner() error {
	return c.w.far.ip("link add far0 type bond mode 802.3ad miimon 100", "link set eth0 down", "link set eth0 master far0",
		"link set eth1 down", "link set eth1 master far0", "link set far0 up")
}

func (c *counting) measureMade(s subject) error {
	out, err := between(c.w.near, s.device, c.w.far, "eth0", false)
	if err != nil {
		return err
	}
	defer out.close()
	if err := c.awaitCarrying(s, out); err != nil {
		return err
	}
	if !s.paced { // which needs its daemon
		c.w.freeze()
	}
	errs := []error{c.transmit(s, out)}
	errs = append(errs, c.receive(s))
	if s.movable {
		errs = append(errs, c.fromOther(s))
	}
	return errors.Join(errs...)
}

// awaitCarrying waits until frames leave by all ports that they should.
func (c *counting) awaitCarrying(s subject, out *sender) error {
	var counts [2]int
	err := c.w.await(2*time.Minute, "frames to pass", func() bool {
		before, err := c.arrivedFar()
		if err != nil || out.send(1) != nil {
			return false
		}
		time.Sleep(pause)
		after, err := c.arrivedFar()
		counts = [2]int{after[0] - before[0], after[1] - before[1]}
		return err == nil && counts[0]+counts[1] >= batch*s.copies && (!s.spreads || min(counts[0], counts[1]) > 0)
	})
	if err != nil {
		return fmt.Errorf("%w; of %d, %v arrived", err, batch, counts)
	}
	c.port = ports[0]
	if counts[1] > counts[0] {
		c.port = ports[1]
	}
	time.Sleep(5 * time.Second) // what follows a start: announcements, filters that become links, first LACPDUs
	return nil
}

func (c *counting) arrivedFar() (n [2]int, err error) {
	for i, name := range ports {
		one, err := c.w.far.dropped(name)
		if err != nil {
			return n, err
		}
		n[i] = one
	}
	return n, nil
}

func (c *counting) allFar() (int, error) {
	n, err := c.arrivedFar()
	return n[0] + n[1], err
}

func (c *counting) transmit(s subject, out *sender) error {
	whole, ok := c.figure(s, partTransmit, out, s.copies, c.allFar)
	if !s.guarded {
		return nil
	}
	if err := c.removeGuards(); err != nil {
		return err
	}
	without, okWithout := c.figure(s, partUnguarded, out, s.copies, c.allFar)
	if !ok || !okWithout {
		return nil // the rows say so
	}
	c.rep.add(row{Part: partGuard, By: s.by, Mode: s.mode, Added: whole - without})
	return nil
}

// removeGuards takes the filters of the guard off, while their daemon cannot put them back.
func (c *counting) removeGuards() error {
	return c.w.near.tc("filter del dev eth0 egress", "filter del dev eth1 egress")
}

// figure counts frames from a sender and adds the row; it returns what was added,
// where that could be counted.
func (c *counting) figure(s subject, part string, out *sender, perFrame int, arrived func() (int, error)) (added float64, ok bool) {
	bare := c.bare[barePart(part)]
	var f figure
	var err error
	if s.paced {
		bare = c.bare[paced(barePart(part))]
		f, err = countPaced(out, arrived)
	} else {
		f, err = count(out, perFrame, arrived)
	}
	r := row{Part: part, By: s.by, Mode: s.mode, Bare: bare.Instructions, Added: f.Instructions - bare.Instructions, Raw: f, Commands: c.w.ran()}
	switch part {
	case partTransmit:
		r.Known, r.Goal, r.Stretch = s.known[0], s.goal, s.wish
	case partUnguarded, partFromOther:
		r.Goal, r.Stretch = s.goal, s.wish
	case partReceive:
		r.Known, r.Goal = s.known[1], s.goalRx
	case partToOther:
		r.Goal, r.Stretch = 420, 300
	}
	if err != nil {
		r.Failed, r.Added = err.Error(), 0
	}
	r.judge()
	c.rep.add(r)
	return r.Added, err == nil
}

// barePart is the part of the bare port that a part is compared with.
func barePart(part string) string {
	switch part {
	case partUnguarded, partFromOther:
		return partTransmit
	case partToOther:
		return partReceive
	default:
		return part
	}
}

// receive counts what arrives on a port until it is dropped at the aggregate's ingress.
func (c *counting) receive(s subject) error {
	made := !s.guarded // Yoke's device has the qdisc already
	if err := c.w.near.dropAll(s.device, made); err != nil {
		return err
	}
	arrived := func() (int, error) { return c.w.near.dropped(s.device) }
	for _, m := range []struct {
		part      string
		broadcast bool
	}{{partReceive, false}, {partBroadcast, true}, {partNAPI, false}} {
		if m.part == partNAPI {
			if s.paced {
				continue
			}
			if err := c.setNAPI(true); err != nil {
				return err
			}
		}
		in, err := between(c.w.far, c.port, c.w.near, s.device, m.broadcast)
		if err != nil {
			return err
		}
		c.figure(s, m.part, in, 1, arrived)
		in.close()
	}
	var off error
	if !s.paced {
		off = c.setNAPI(false)
	}
	return errors.Join(off, c.w.near.undrop(s.device, made))
}

// fromOther moves the aggregate's device to another namespace and counts both ways there.
func (c *counting) fromOther(s subject) error {
	w := c.w
	w.thaw()
	w.near.note("ip link set", s.device, "netns other")
	l, err := w.near.link(s.device)
	if err != nil {
		return err
	}
	if err := w.near.nl.LinkSetNsFd(l, w.other.FD()); err != nil {
		return fmt.Errorf("move %s: %w", s.device, err)
	}
	if err := w.other.ip("link set " + s.device + " up"); err != nil {
		return err
	}
	out, err := between(w.other, s.device, w.far, "eth0", false)
	if err != nil {
		return err
	}
	defer out.close()
	if err := c.awaitCarrying(s, out); err != nil {
		return err
	}
	w.freeze()
	c.figure(s, partFromOther, out, s.copies, c.allFar)
	if err := w.other.dropAll(s.device, true); err != nil {
		return err
	}
	in, err := between(w.far, c.port, w.other, s.device, false)
	if err != nil {
		return err
	}
	defer in.close()
	c.figure(s, partToOther, in, 1, func() (int, error) { return w.other.dropped(s.device) })
	return nil
}
