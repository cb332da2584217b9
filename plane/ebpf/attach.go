package ebpf

import (
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

// attacher puts programs on hooks so that they outlive the daemon: tcx links, or
// clsact filters where the kernel has no tcx.
type attacher interface {
	// attach makes p the program of h: first at ingress, last at egress. A program of
	// ours that is there already is replaced without losing a frame.
	attach(h hook, p *ebpf.Program) error
	// attached reports whether our program is in force on h.
	attached(h hook) bool
	// detach takes our program off h. One that is gone already is no error.
	detach(h hook) error
}
