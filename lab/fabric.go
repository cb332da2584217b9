package lab

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/vishvananda/netlink"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
)

// fabric is a switch of kind lacp: it learns addresses and forwards in this process, and
// speaks LACP on its groups by the machines of package lacp. Unlike a bridge it spreads the
// frames of a group over the members that LACP lets send.
type fabric struct {
	name  string
	space *space
	clock bootclock.Clock
	// mute ignores Markers.
	mute bool

	mu     sync.Mutex
	trunks []*trunk
	ports  map[string]*fabricPort // by device
	// learned is where addresses are: the outlet's name.
	learned map[agg.MAC]string
	stopped bool

	wake chan struct{}
	stop chan struct{}
	wg   sync.WaitGroup
}

// framesLearned bounds the table of addresses.
const framesLearned = 4096

func newFabric(name string, def Switch) (*fabric, error) {
	s, err := newSpace(name)
	if err != nil {
		return nil, err
	}
	f := &fabric{
		name: name, space: s, mute: def.IgnoreMarkers,
		ports: map[string]*fabricPort{}, learned: map[agg.MAC]string{},
		wake: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	number := uint16(1)
	for i, group := range slices.Sorted(maps.Keys(def.Groups)) {
		t, err := newTrunk(name, group, uint16(i+1), number, def)
		if err != nil {
			f.close()
			return nil, err
		}
		f.trunks = append(f.trunks, t)
		number += uint16(len(t.members))
	}
	err = s.do(func() error {
		beSilent()
		return watchLinks(f.stop, f.refresh)
	})
	if err != nil {
		f.close()
		return nil, fmt.Errorf("make switch %s: %w", name, err)
	}
	f.wg.Go(f.keepTime)
	return f, nil
}

func (f *fabric) where() *space { return f.space }

func (f *fabric) bare() bool { return false } // frames keep their offload metadata

func (f *fabric) track(*cable) {}

func (f *fabric) attach(device string) error {
	f.mu.Lock()
	old := f.ports[device]
	delete(f.ports, device)
	f.mu.Unlock()
	old.close()
	p := &fabricPort{device: device, fd: -1}
	err := f.space.do(func() (err error) {
		l, err := netlink.LinkByName(device)
		if err != nil {
			return err
		}
		if p.fd, err = openPacketSocket(device); err != nil {
			return err
		}
		return netlink.LinkSetUp(l)
	})
	if err != nil {
		p.close()
		return fmt.Errorf("attach %s to switch %s: %w", device, f.name, err)
	}
	f.mu.Lock()
	f.ports[device] = p
	f.mu.Unlock()
	p.reading.Go(func() { p.read(f.forward) })
	f.refresh()
	return nil
}

// refresh tells the machines of the links as they are.
func (f *fabric) refresh() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return
	}
	up := map[string]bool{}
	_ = f.space.do(func() error {
		for device := range f.ports {
			up[device] = hasCarrier(device)
		}
		return nil
	})
	for device, p := range f.ports {
		p.up = up[device]
	}
	for _, t := range f.trunks {
		f.act(t, t.links(f.clock.Now(), up)...)
	}
	f.hurry()
}

// forward sends a frame on that came in by a port. It begins with its offload metadata.
func (f *fabric) forward(p *fabricPort, packet []byte) {
	frame := packet[vnetHeaderLen:]
	if len(frame) < 14 {
		return
	}
	to, from := agg.MAC(frame[:6]), agg.MAC(frame[6:12])
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped || f.ports[p.device] != p {
		return
	}
	t := f.trunkOf(p.device)
	if linkLocal(to) {
		if t != nil && !(f.mute && isMarker(frame)) {
			f.act(t, t.received(f.clock.Now(), p.device, frame))
			f.hurry()
		}
		return
	}
	if t != nil && !t.receives(p.device) {
		return
	}
	here := outletOf(t, p.device)
	if !from.IsMulticast() && len(f.learned) < framesLearned {
		f.learned[from] = here
	}
	if there, known := f.learned[to]; known && !to.IsMulticast() {
		if there != here {
			f.emit(there, packet)
		}
		return
	}
	for _, there := range f.outlets() {
		if there != here {
			f.emit(there, packet)
		}
	}
}

// outletOf names a way out of the switch: a group, or a port of its own.
func outletOf(t *trunk, device string) string {
	if t != nil {
		return t.outlet()
	}
	return device
}

// outlets are all ways out, each once, in order. mu is held.
func (f *fabric) outlets() (out []string) {
	for _, device := range sortedKeys(f.ports) {
		if o := outletOf(f.trunkOf(device), device); !slices.Contains(out, o) {
			out = append(out, o)
		}
	}
	return out
}

// emit sends a packet out by one port of an outlet. mu is held.
func (f *fabric) emit(outlet string, packet []byte) {
	device := outlet
	for _, t := range f.trunks {
		if t.known() && t.outlet() == outlet {
			device = t.choose(packet[vnetHeaderLen:])
		}
	}
	f.ports[device].write(packet)
}

// trunkOf is the group of a device that the switch knows, or nil. mu is held.
func (f *fabric) trunkOf(device string) *trunk {
	for _, t := range f.trunks {
		if t.known() && slices.Contains(t.members, device) {
			return t
		}
	}
	return nil
}

// linkLocal tells the group addresses that no switch forwards.
func linkLocal(a agg.MAC) bool {
	return a[0] == 0x01 && a[1] == 0x80 && a[2] == 0xc2 && a[3] == 0 && a[4] == 0 && a[5] < 0x10
}

func (f *fabric) halt() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.stopped {
		f.stopped = true
		close(f.stop)
	}
}

func (f *fabric) close() {
	f.halt()
	f.wg.Wait()
	for _, p := range f.ports {
		p.close()
	}
	f.space.close()
}
