package ebpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
)

// hook is a place where one of our programs runs. Its name is unique in the aggregate
// and names the pin.
type hook struct {
	name    string
	ifindex int
	ingress bool
	// place is that of the port, or ofDevice.
	place int
}

// ofDevice is the place of hooks on the aggregate's own device.
const ofDevice = -1

func entryHook(outer int) hook { return hook{name: "entry", ifindex: outer, place: ofDevice} }

func hopHook(inner int) hook {
	return hook{name: "hop", ifindex: inner, ingress: true, place: ofDevice}
}

func rxHook(place, ifindex int) hook {
	return hook{name: fmt.Sprintf("rx-%d", place), ifindex: ifindex, ingress: true, place: place}
}

func guardHook(place, ifindex int) hook {
	return hook{name: fmt.Sprintf("guard-%d", place), ifindex: ifindex, place: place}
}

// attacher puts programs on hooks so that they outlive the daemon: by clsact filters at
// first, and by tcx links, where the kernel has them, when there is time. A filter costs
// each frame some 25 ns more. For a link the kernel holds the lock of all network
// configuration through an RCU grace period, some 9 ms, and events, polls and other
// aggregates wait for it.
//
// Filters run after all links. So where others are at an egress ours stays a filter, which
// is the last, and where others are first at an ingress it is a link from the beginning. A link
// at an ingress before which others have come since is made anew before them: in the next look,
// so that whoever insists on the same place costs a look, and not a loop.
type attacher struct {
	links   links
	filters filters
}

// attach makes p the program of h: first at ingress, last at egress. A program of ours that
// is there already is replaced without losing a frame, and one that must move runs in both
// places for a moment rather than in none.
func (a attacher) attach(h hook, p *ebpf.Program) error {
	c := chainOf(h.ifindex, h.ingress)
	id, linked := a.links.find(h)
	wrong := linked && c.linkIsWrong(id)
	switch {
	case wrong && h.ingress:
		return a.toLink(h, p)
	case wrong && c.ours() < 0:
		return a.toFilter(h, p, c)
	case linked:
		if err := a.links.update(h, p); err != nil {
			return err
		}
		return a.filters.detach(h) // of a move that was cut short
	case c.filterIsWrong():
		return a.toLink(h, p)
	default:
		if err := a.filters.attach(h, p, c); err != nil {
			return err
		}
		return a.links.detach(h) // the link of an interface that is gone
	}
}

// toLink makes a link, in place of our filter or of a link that others stand before.
func (a attacher) toLink(h hook, p *ebpf.Program) error {
	if err := a.links.attach(h, p); err != nil {
		return err
	}
	return a.filters.detach(h)
}

func (a attacher) toFilter(h hook, p *ebpf.Program, c chain) error {
	if err := a.filters.attach(h, p, c); err != nil {
		return err
	}
	return a.links.detach(h)
}

// attached reports whether our program is in force on h, whose chain s may have seen, in
// a place that is right.
func (a attacher) attached(h hook, s sight) bool {
	c := s.of(h.ifindex, h.ingress)
	if id, linked := a.links.find(h); linked {
		return !c.linkIsWrong(id)
	}
	return c.ours() >= 0 && !c.filterIsWrong()
}

// improve makes a link of the filter of h, which costs each frame less, where that is as
// right, and reports whether it was so.
func (a attacher) improve(h hook, s sight) (bool, error) {
	c := s.of(h.ifindex, h.ingress)
	if c.ours() < 0 || !c.linkIsBetter() || a.links.attached(h) {
		return false, nil
	}
	p, err := c.ourProgram()
	if err != nil {
		return false, err
	}
	defer p.Close()
	return true, a.toLink(h, p)
}

// detach takes our program off h. One that is gone already is no error.
func (a attacher) detach(h hook) error {
	return errors.Join(a.links.detach(h), a.filters.detach(h))
}
