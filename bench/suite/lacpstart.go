package main

import (
	"context"
	"errors"
	"fmt"
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
}

func (c startCase) String() string {
	if c.strict {
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
	ends  [2]*startEnd
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
	return measureStarts(ctx, s, rep, startCase{ports: 2, strict: true}, max(1, s.starts/10))
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
	goals := [2]string{"<= 50", "<= 300"}
	if c.strict {
		goals = [2]string{"2000 and a little", ""}
	}
	note := fmt.Sprintf("%d starts, from the second end's first link; from the first end's: median %.0f, worst %.0f", starts, median(first), quantile(first, 1))
	rep.add(
		row{"LACP, both ends ours: link-up to distributing, median", c.String(), median(last), "ms", goals[0], note},
		row{"LACP, both ends ours: link-up to distributing, worst", c.String(), quantile(last, 1), "ms", goals[1], ""},
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
	for i, h := range r.hosts {
		d, err := startDaemon(ctx, h, s)
		if err != nil {
			return r, err
		}
		r.ends[i] = &startEnd{daemon: d, open: map[string]bool{}, changed: make(chan struct{}, 1)}
		if err := d.yoke(ctx, c.words(i == 1)...); err != nil {
			return r, err
		}
		if err := r.ends[i].follow(); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r *startRig) close(ctx context.Context) {
	for _, e := range r.ends {
		if e != nil {
			e.close(ctx)
		}
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
	a, opened := r.ends[0].times()
	b, other := r.ends[1].times()
	ms := func(from agg.Instant) float64 { return float64(max(opened, other).Sub(from).Microseconds()) / 1000 }
	return ms(max(a, b)), ms(min(a, b)), nil
}
