package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/yokelag/yoke/agg"
)

// burstOver is how long links stay down between two starts: LACP limits what is said on a
// link that flaps, and a start is of one that does not.
const burstOver = 1500 * time.Millisecond

// startCase is one kind of start.
type startCase struct {
	ports int
	// apart is how much later the second end takes its links for up.
	apart  time.Duration
	strict bool
	// ovs: the second end is Open vSwitch.
	ovs bool
}

func (c startCase) String() string {
	switch {
	case c.ovs:
		return fmt.Sprintf("%d ports, beside Open vSwitch", c.ports)
	case c.strict:
		return fmt.Sprintf("%d ports, lacp_wait=strict", c.ports)
	}
	return fmt.Sprintf("%d ports, %v apart", c.ports, c.apart)
}

// words are the options of one end.
func (c startCase) words(second bool) []string {
	out := []string{"up", "bond0", "mode=802.3ad"}
	if c.strict {
		out = append(out, "lacp_wait=strict")
	}
	if second && c.apart > 0 {
		out = append(out, "updelay="+c.apart.String())
	}
	for i := range c.ports {
		out = append(out, fmt.Sprintf("eth%d", i))
	}
	return out
}

// startRig is two hosts whose aggregates are started over and over.
type startRig struct {
	hosts [2]*host
	ends  []*startEnd
	rival *ovs           // in the second end's place
	links []netlink.Link // of the first host
}

// measureStart takes the time from link-up to both ends distributing on all ports.
func measureStart(ctx context.Context, s settings, rep *report) error {
	for _, ports := range []int{2, 8} {
		for _, apart := range []time.Duration{0, 20 * time.Millisecond, 80 * time.Millisecond} {
			if err := measureStarts(ctx, s, rep, startCase{ports: ports, apart: apart}, s.starts); err != nil {
				return err
			}
		}
	}
	if err := measureStarts(ctx, s, rep, startCase{ports: 2, strict: true}, max(1, s.starts/10)); err != nil {
		return err
	}
	if !has("ovs-vswitchd") || !has("ovsdb-server") {
		rep.add(row{Measure: "LACP, the other end Open vSwitch", Case: "not measured", Note: "no Open vSwitch is installed here"})
		return nil
	}
	return measureStarts(ctx, s, rep, startCase{ports: 2, ovs: true}, max(1, s.starts/4))
}

func measureStarts(ctx context.Context, s settings, rep *report, c startCase, starts int) error {
	r, err := newStartRig(ctx, s, c)
	defer r.close(ctx)
	if err != nil {
		return fmt.Errorf("%v: %w", c, err)
	}
	var last, first []float64
	for range starts {
		fromLast, fromFirst, err := r.start(ctx, c.ports)
		if err != nil {
			return fmt.Errorf("%v: %w", c, err)
		}
		last, first = append(last, fromLast), append(first, fromFirst)
	}
	who, goals := "both ends ours", [2]string{"<= 50", "<= 300"}
	note := fmt.Sprintf("%d starts, from the second end's first link; from the first end's: median %.0f, worst %.0f", starts, median(first), quantile(first, 1))
	switch {
	case c.strict:
		goals = [2]string{"2000 and a little", ""}
	case c.ovs:
		who, goals = "the other end Open vSwitch", [2]string{}
		note = fmt.Sprintf("%d starts, from our first link until we distribute on all ports", starts)
	}
	rep.add(
		row{"LACP, " + who + ": link-up to distributing, median", c.String(), median(last), "ms", goals[0], note},
		row{"LACP, " + who + ": link-up to distributing, worst", c.String(), quantile(last, 1), "ms", goals[1], ""},
	)
	return nil
}

func newStartRig(ctx context.Context, s settings, c startCase) (r *startRig, err error) {
	r = &startRig{}
	for i := range r.hosts {
		if r.hosts[i], err = newHost(); err != nil {
			return r, err
		}
	}
	near, far := r.hosts[0], r.hosts[1]
	// A veth whose ifindex is its peer's has its carrier noticed late; a pair more here
	// makes them differ.
	if err := far.nl.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "spare1"}, PeerName: "spare2"}); err != nil {
		return r, err
	}
	for i := range c.ports {
		port := fmt.Sprintf("eth%d", i)
		if err := cable(near, far, port); err != nil {
			return r, err
		}
		l, err := near.nl.LinkByName(port)
		if err != nil {
			return r, err
		}
		r.links = append(r.links, l)
	}
	if c.ovs {
		if err := r.addRival(ctx, c.ports); err != nil {
			return r, err
		}
		return r, r.addEnd(ctx, s, near, c.words(false))
	}
	return r, errors.Join(r.addEnd(ctx, s, near, c.words(false)), r.addEnd(ctx, s, far, c.words(true)))
}

func (r *startRig) addEnd(ctx context.Context, s settings, h *host, words []string) error {
	d, err := startDaemon(ctx, h, s)
	if err != nil {
		return err
	}
	e := &startEnd{daemon: d, open: map[string]bool{}, changed: make(chan struct{}, 1)}
	r.ends = append(r.ends, e)
	if err := d.yoke(ctx, words...); err != nil {
		return err
	}
	return e.follow()
}

// addRival makes the second end a bond of Open vSwitch that speaks LACP at fast rate.
func (r *startRig) addRival(ctx context.Context, ports int) (err error) {
	if r.rival, err = runOVS(ctx, r.hosts[1]); err != nil {
		return err
	}
	var names []string
	for i := range ports {
		names = append(names, fmt.Sprintf("eth%d", i))
	}
	return r.rival.bond(ctx, names, "bond_mode=balance-tcp", "lacp=active", "other_config:lacp-time=fast")
}

func (r *startRig) close(ctx context.Context) {
	for _, e := range r.ends {
		e.close(ctx)
	}
	if r.rival != nil {
		r.rival.stop()
	}
	for _, h := range r.hosts {
		if h != nil {
			h.close()
		}
	}
}

// start brings the links up once. The times are from the second and the first end's first
// usable link to the last port that distributes, in ms.
func (r *startRig) start(ctx context.Context, ports int) (fromLast, fromFirst float64, err error) {
	for _, l := range r.links {
		err = errors.Join(err, r.hosts[0].nl.LinkSetDown(l))
	}
	for _, e := range r.ends {
		err = errors.Join(err, e.await(ctx, 0))
	}
	wait(ctx, burstOver)
	for _, e := range r.ends {
		e.begin()
	}
	for _, l := range r.links {
		err = errors.Join(err, r.hosts[0].nl.LinkSetUp(l))
	}
	for _, e := range r.ends {
		err = errors.Join(err, e.await(ctx, ports))
	}
	if err != nil {
		return 0, 0, err
	}
	var linked, opened []agg.Instant
	for _, e := range r.ends {
		l, o := e.times()
		linked, opened = append(linked, l), append(opened, o)
	}
	ms := func(from agg.Instant) float64 { return float64(slices.Max(opened).Sub(from).Microseconds()) / 1000 }
	return ms(slices.Max(linked)), ms(slices.Min(linked)), nil
}
