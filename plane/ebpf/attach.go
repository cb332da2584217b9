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

// attacher puts programs on hooks so that they outlive the daemon. It takes clsact filters:
// for a tcx link the kernel holds the lock of all network configuration through an RCU grace
// period, some 9 ms, and events, polls and other aggregates wait for it. At an egress filters
// run after all links, so ours are last all the same. At an ingress they are first only while
// nobody else is there; where somebody is, ours is a link, if the kernel has them.
type attacher struct {
	links   links
	filters filters
}

// attach makes p the program of h: first at ingress, last at egress. A program of ours that
// is there already is replaced without losing a frame, and one that must move runs in both
// places for a moment rather than in none.
func (a attacher) attach(h hook, p *ebpf.Program) error {
	switch c := chainOf(h.ifindex, h.ingress); {
	case a.links.attached(h):
		return a.links.update(h, p)
	case c.wantsLink():
		return errors.Join(a.links.attach(h, p), a.filters.detach(h))
	default:
		return errors.Join(a.links.detach(h), a.filters.attach(h, p)) // the link of an interface that is gone
	}
}

// attached reports whether our program is in force on h, whose chain s may have seen, in
// the right place.
func (a attacher) attached(h hook, s sight) bool {
	if a.links.attached(h) {
		return true
	}
	c := s.of(h.ifindex, h.ingress)
	return c.ours() >= 0 && !c.wantsLink()
}

// detach takes our program off h. One that is gone already is no error.
func (a attacher) detach(h hook) error {
	return errors.Join(a.links.detach(h), a.filters.detach(h))
}
