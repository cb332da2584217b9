package mem

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/yokelag/yoke/agg"
)

// aggregate is what a plane leaves in the world.
type aggregate struct {
	device      agg.DeviceFacts
	plan        *agg.Plan
	publishedAt agg.Instant
	changes     int
	ports       map[string]*taken
	buckets     []agg.BucketFacts
	walk        int // the frames that round-robin has placed
	// opened are the ports, by index in the plan, that receive because frames are moved
	// to them.
	opened map[int]bool
}

// taken is a port of an aggregate: how it was, and what it counted.
type taken struct {
	before agg.LinkFacts
	facts  agg.PortFacts
}

// Plane is one aggregate in a World.
type Plane struct {
	w      *World
	name   string
	closed bool
}

// Open returns the plane of the named aggregate. Where the world still holds what an
// earlier plane did, it is adopted.
func Open(w *World, name string) *Plane {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.aggregates[name] == nil {
		w.aggregates[name] = &aggregate{ports: map[string]*taken{}}
	}
	return &Plane{w: w, name: name}
}

// Capability tells that the plane can do everything.
func (p *Plane) Capability() agg.Capability { return Capability() }

// Capability tells what every Plane of this package can do.
func Capability() agg.Capability {
	return agg.Capability{
		Plane: "mem",
		Selectors: []agg.Selector{
			agg.SelectFixed, agg.SelectBuckets, agg.SelectModulo,
			agg.SelectRoundRobin, agg.SelectRandom, agg.SelectBroadcast,
		},
		Hashes: []agg.HashPolicy{
			agg.HashLayer2, agg.HashLayer23, agg.HashLayer34,
			agg.HashEncap23, agg.HashEncap34, agg.HashVLANSrcMAC, agg.HashFields,
		},
		OutlivesDaemon: true, Guard: true, ExactCounters: true, FastPath: true, BucketCounters: true, DropsOwn: true, Unprivileged: true,
	}
}

// errClosed is a programming error of the caller.
var errClosed = errors.New("mem: the plane is closed")

// begin locks the world for a call that may be refused.
func (p *Plane) begin(op string) (*aggregate, func(), error) {
	p.w.mu.Lock()
	if p.closed {
		p.w.mu.Unlock()
		return nil, nil, errClosed
	}
	if err := p.w.refuse(op); err != nil {
		p.w.mu.Unlock()
		return nil, nil, err
	}
	return p.w.aggregates[p.name], p.w.mu.Unlock, nil
}

// Apply makes plan the one in force.
func (p *Plane) Apply(_ context.Context, plan agg.Plan) error {
	a, done, err := p.begin("apply")
	if err != nil {
		return err
	}
	defer done()
	if err := p.check(plan); err != nil {
		return err
	}
	if p.reshape(a, plan) {
		a.changes++
	}
	if a.plan == nil || a.plan.Generation != plan.Generation || !a.plan.Equal(plan) {
		a.changes++
		// Counters of entries go on where the table has the shape it had.
		if a.plan == nil || a.plan.Select != plan.Select || len(a.plan.Table) != len(plan.Table) {
			a.buckets = make([]agg.BucketFacts, len(plan.Table))
		}
		for i := range a.buckets {
			a.buckets[i].Moved = a.buckets[i].Moved && plan.GoesOn(*a.plan, i)
		}
		a.plan, a.publishedAt, a.opened = clonePlan(plan), p.w.clock.Now(), map[int]bool{}
	}
	return nil
}

// check refuses a plan that cannot be done, before anything changes.
func (p *Plane) check(plan agg.Plan) error {
	for i, port := range plan.Ports {
		for name, other := range p.w.aggregates {
			if name != p.name && other.ports[port.Name] != nil {
				return &agg.Problem{Code: "port-busy", Object: port.Name, Rule: "is a port of " + name,
					Remedy: fmt.Sprintf("yoke remove %s %s", name, port.Name)}
			}
		}
		if plan.PortByName(port.Name) != i {
			return fmt.Errorf("mem: plan %d names port %s twice", plan.Generation, port.Name)
		}
	}
	for i, c := range plan.Table {
		if c.First >= len(plan.Ports) || c.Second >= len(plan.Ports) {
			return fmt.Errorf("mem: plan %d: entry %d names a port that there is not", plan.Generation, i)
		}
	}
	return nil
}

// reshape makes device and ports as the plan says, and reports whether it had to.
func (p *Plane) reshape(a *aggregate, plan agg.Plan) bool {
	device := a.device
	if !device.Present {
		p.w.lastIndex++
		device = agg.DeviceFacts{Present: true, Name: p.name, Index: p.w.lastIndex, AdminUp: true, Addresses: device.Addresses}
	}
	device.Carrier, device.MAC, device.MTU = plan.Carrier, plan.MAC, plan.MTU
	changed := !sameDevice(a.device, device)
	a.device = device
	for name := range a.ports {
		if i := plan.PortByName(name); i < 0 || plan.Ports[i].Index != a.ports[name].before.Index {
			p.giveBack(a, name)
			changed = true
		}
	}
	for _, port := range plan.Ports {
		changed = p.take(a, port, plan) || changed
	}
	return changed
}

func sameDevice(a, b agg.DeviceFacts) bool {
	a.Addresses, b.Addresses = nil, nil
	return fmt.Sprint(a) == fmt.Sprint(b)
}

// take makes an interface a port; one that went away since the plan was made is left.
func (p *Plane) take(a *aggregate, port agg.PlanPort, plan agg.Plan) bool {
	l, ok := p.w.links[port.Name]
	if !ok || l.Index != port.Index {
		return false
	}
	_, had := a.ports[port.Name]
	if !had {
		a.ports[port.Name] = &taken{before: *l}
		l.AdminUp = true
	}
	before := *l
	l.MTU = plan.MTU
	if mac := plan.PortMAC(plan.PortByName(port.Name)); !mac.IsZero() {
		l.MAC = mac
	}
	if !had || *l != before {
		p.w.changed(port.Name)
		return true
	}
	return false
}

// giveBack makes a port an interface of its own again, as it was.
func (p *Plane) giveBack(a *aggregate, name string) {
	before := a.ports[name].before
	delete(a.ports, name)
	if l, ok := p.w.links[name]; ok && l.Index == before.Index {
		l.MAC, l.MTU, l.AdminUp = before.MAC, before.MTU, before.AdminUp
		p.w.changed(name)
	}
}

// Observe returns what is in force.
func (p *Plane) Observe(context.Context) (agg.Facts, error) {
	a, done, err := p.begin("observe")
	if err != nil {
		return agg.Facts{}, err
	}
	defer done()
	f := agg.Facts{At: p.w.clock.Now(), Device: a.device, PublishedAt: a.publishedAt, Buckets: slices.Clone(a.buckets)}
	f.Device.Addresses = slices.Clone(a.device.Addresses)
	if a.plan == nil {
		return f, nil
	}
	f.Published = clonePlan(*a.plan)
	for _, port := range a.plan.Ports {
		facts := agg.PortFacts{}
		if t := a.ports[port.Name]; t != nil {
			facts = t.facts
		}
		facts.LinkFacts = p.w.link(port.Name)
		f.Ports = append(f.Ports, facts)
	}
	return f, nil
}

// Close lets go of the plane; the world goes on forwarding by the last plan.
func (p *Plane) Close() error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.closed = true
	return nil
}

// Destroy gives all ports back and removes the aggregate.
func (p *Plane) Destroy(context.Context) error {
	a, done, err := p.begin("destroy")
	if err != nil {
		return err
	}
	defer done()
	for name := range a.ports {
		p.giveBack(a, name)
	}
	delete(p.w.aggregates, p.name)
	p.closed = true
	return nil
}

// Changes counts the calls of Apply that changed something.
func (p *Plane) Changes() int {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return p.w.aggregates[p.name].changes
}

// SetAddresses gives the aggregate's device addresses.
func (p *Plane) SetAddresses(addresses ...netip.Addr) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.w.aggregates[p.name].device.Addresses = addresses
	p.w.changed(p.name)
}

// Tamper changes the plan in force behind everybody's back; a nil plan takes it away.
func (p *Plane) Tamper(alter func(plan agg.Plan) *agg.Plan) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	a := p.w.aggregates[p.name]
	if a.plan != nil {
		a.plan = alter(*clonePlan(*a.plan))
	}
}

// DeleteDevice removes the aggregate's device, as `ip link del` would.
func (p *Plane) DeleteDevice() {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.w.aggregates[p.name].device = agg.DeviceFacts{}
	p.w.changed(p.name)
}

func clonePlan(p agg.Plan) *agg.Plan {
	p.Table, p.Ports = slices.Clone(p.Table), slices.Clone(p.Ports)
	return &p
}
