package ebpf

import (
	"context"
	"errors"
	"fmt"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/internal/iface"
)

// Observe reads back what is in force. The plan comes from the maps that the programs
// read, not from memory. Where somebody has moved the device or taken our programs off
// an interface, they are put right first.
func (p *Plane) Observe(ctx context.Context) (agg.Facts, error) {
	f := agg.Facts{At: agg.Instant(bootclock.Now())}
	if err := p.observe(ctx, &f); err != nil {
		return f, fmt.Errorf("observe %s: %w", p.options.Name, err)
	}
	return f, nil
}

// Verify reads back the device and the plan in force, as Observe does, and neither
// counters nor what is attached beside: with many aggregates that is most of the work.
func (p *Plane) Verify(_ context.Context) (agg.Facts, error) {
	f := agg.Facts{At: agg.Instant(bootclock.Now())}
	if err := p.verify(&f); err != nil {
		return f, fmt.Errorf("verify %s: %w", p.options.Name, err)
	}
	return f, nil
}

func (p *Plane) verify(f *agg.Facts) (err error) {
	if f.Device, err = p.device.Facts(); err != nil {
		return err
	}
	if err := p.follow(f.Device); err != nil {
		return err
	}
	e, err := p.publish.inForce()
	if err != nil || e.PublishedAt == 0 {
		return err
	}
	plan, _ := decode(e)
	f.Published, f.PublishedAt = &plan, agg.Instant(e.PublishedAt)
	p.promisc = f.Device.Promiscuous
	return p.ports.Promiscuous(plan, p.promisc)
}

func (p *Plane) observe(ctx context.Context, f *agg.Facts) (err error) {
	if f.Device, err = p.device.Facts(); err != nil {
		return err
	}
	s := sight{}
	mendErr := p.mend(f.Device, s)
	e, err := p.publish.inForce()
	if err != nil {
		return err
	}
	if f.Counters, err = p.counters(); err != nil {
		return err
	}
	f.ForeignFilters = p.foreign(f.Device, s)
	if e.PublishedAt == 0 {
		return mendErr
	}
	f.Counters["guard_opened_ports"] = opened(e)
	plan, _ := decode(e)
	f.Published, f.PublishedAt = &plan, agg.Instant(e.PublishedAt)
	if len(p.unreleased) > 0 {
		p.unreleased = p.ports.LetGo(ctx, plan)
	}
	f.Unreleased = p.unreleased
	if f.Buckets, err = p.buckets(e); err != nil {
		return err
	}
	for _, q := range plan.Ports {
		facts, err := p.portFacts(q.Name)
		if err != nil {
			return err
		}
		f.Ports = append(f.Ports, facts)
	}
	p.promisc = f.Device.Promiscuous
	return errors.Join(mendErr, p.ports.Promiscuous(plan, p.promisc))
}

// opened counts the ports that receive because the guard moves frames to them.
func opened(e *yokePlan) (n uint64) {
	for _, o := range e.Opened {
		n += uint64(o)
	}
	return n
}

// portFacts joins what the programs counted with what the kernel says of the link.
func (p *Plane) portFacts(name string) (agg.PortFacts, error) {
	place := p.places[name]
	s, err := p.portStats(place)
	if err != nil {
		return agg.PortFacts{}, err
	}
	f := agg.PortFacts{
		LinkFacts:  agg.LinkFacts{Name: name},
		TxFrames:   s.TxFrames,
		TxBytes:    s.TxBytes,
		RxFrames:   s.RxFrames,
		RxBytes:    s.RxBytes,
		OwnDropped: s.OwnDropped,
		RxDropped:  s.RxDropped,
		GuardMoved: s.GuardMoved,
	}
	l, err := iface.ByName(name, iface.Here)
	if iface.IsAbsent(err) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	f.LinkFacts = p.linkFacts(l)
	t, err := p.memory.of(place)
	if err != nil || int(t.Ifindex) != l.Index {
		return f, err
	}
	base := baseOf(t.TxBase, l.Statistics.TxPackets, s.TxFrames)
	f.DeviceTxFrames = l.Statistics.TxPackets - base
	if base != t.TxBase {
		err = p.memory.update(place, func(t *yokeTaken) { t.TxBase = base })
	}
	return f, err
}

// baseOf is where a device's counter of sent frames stood when the device was taken, modulo
// 2^64: it may have begun after ours. A counter that is behind its base was set back, as some
// drivers do when they begin anew. It is taken to have counted what we sent until then.
func baseOf(base, counter, ours uint64) uint64 {
	if int64(counter-base) < 0 {
		return counter - ours
	}
	return base
}

// linkFacts adds speed and duplex, which a driver may not know.
func (p *Plane) linkFacts(l iface.Link) agg.LinkFacts {
	f := agg.LinkFacts{
		Name: l.Name, Index: l.Index, Present: true, AdminUp: l.AdminUp(), Carrier: l.Carrier, MTU: l.MTU,
	}
	copy(f.MAC[:], l.HardwareAddr)
	if s, err := p.driver.Settings(l.Name); err == nil {
		f.Speed, f.FullDuplex = s.Speed, s.FullDuplex
	}
	return f
}
