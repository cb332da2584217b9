package user

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/internal/iface"
)

// Observe reads back what is in force. Fences that somebody has taken away are put back.
func (p *Plane) Observe(ctx context.Context) (agg.Facts, error) {
	f := agg.Facts{At: agg.Instant(bootclock.Now())}
	var err error
	if f.Device, err = p.device.Facts(); err != nil {
		return f, fmt.Errorf("observe %s: %w", p.options.Name, err)
	}
	p.drops.txRing.Add(p.inner.lost())
	errs := []error{p.fenceDevice()}
	t := p.table.Load()
	if t != nil {
		errs = append(errs, p.observe(t, &f))
	}
	f.Counters = p.drops.values()
	if t != nil {
		f.Counters["guard_opened_ports"] = t.openedPorts()
		if len(p.unreleased) > 0 {
			p.giveBackOthers(ctx, t.plan)
		}
		f.Unreleased = p.unreleased
		p.promisc = f.Device.Promiscuous
		errs = append(errs, p.keeper.Promiscuous(t.plan, p.promisc))
	}
	if err := errors.Join(errs...); err != nil {
		return f, fmt.Errorf("observe %s: %w", p.options.Name, err)
	}
	return f, nil
}

// observe reads back a table and its ports.
func (p *Plane) observe(t *table, f *agg.Facts) error {
	plan := t.plan
	plan.Table, plan.Ports = slices.Clone(plan.Table), slices.Clone(plan.Ports)
	f.Published, f.PublishedAt, f.Buckets = &plan, t.at, t.buckets()
	var errs []error
	for i, pp := range plan.Ports {
		facts, foreign, err := p.portFacts(pp.Name, t.links[i])
		errs = append(errs, err)
		f.Ports = append(f.Ports, facts)
		f.ForeignFilters = append(f.ForeignFilters, foreign...)
	}
	return errors.Join(errs...)
}

func (t *table) buckets() []agg.BucketFacts {
	out := make([]agg.BucketFacts, len(t.entries))
	for i := range t.entries {
		e := &t.entries[i]
		out[i] = agg.BucketFacts{
			Frames: e.frames.Load(), Bytes: e.bytes.Load(), LastUsed: agg.Instant(e.lastUsed.Load()),
			Moved: t.moved[i] != nil && t.moved[i].Load(),
		}
	}
	return out
}

func (p *Plane) portFacts(name string, l *link) (facts agg.PortFacts, foreign []string, err error) {
	if l == nil {
		return agg.PortFacts{LinkFacts: agg.LinkFacts{Name: name}}, nil, nil
	}
	p.drops.rxRing.Add(l.lost())
	l.own.look(l.ifindex)
	foreign, fences := filtersOn(name, l.ifindex)
	if fences < fencesOfPort {
		err = p.fenceHere(l.ifindex)
	}
	return agg.PortFacts{
		LinkFacts:      p.linkFacts(name, l.ifindex),
		TxFrames:       l.txFrames.Load(),
		TxBytes:        l.txBytes.Load(),
		RxFrames:       l.rxFrames.Load(),
		RxBytes:        l.rxBytes.Load(),
		DeviceTxFrames: max(sent(l.ifindex), l.sentBefore) - l.sentBefore,
		OwnDropped:     l.own.sum,
		RxDropped:      l.rxDropped.Load(),
		GuardMoved:     l.guardMoved.Load(),
	}, foreign, err
}

// sent is what the kernel says that a device has sent. One that is gone has sent nothing.
func sent(ifindex int) uint64 {
	l, err := iface.ByIndex(ifindex, iface.Here)
	if err != nil || l.Statistics == nil {
		return 0
	}
	return l.Statistics.TxPackets
}

// linkFacts reads what the kernel says of a port.
func (p *Plane) linkFacts(name string, ifindex int) agg.LinkFacts {
	f := agg.LinkFacts{Name: name}
	l, err := iface.ByIndex(ifindex, iface.Here)
	if err != nil {
		return f
	}
	f.Index, f.Present, f.AdminUp, f.Carrier, f.MTU = l.Index, true, l.AdminUp(), l.Carrier, l.MTU
	copy(f.MAC[:], l.HardwareAddr)
	if s, err := p.tool.Settings(l.Name); err == nil {
		f.Speed, f.FullDuplex = s.Speed, s.FullDuplex
	}
	return f
}
