package user

import (
	"context"
	"fmt"
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/internal/iface"
)

// Observe reads back what is in force.
func (p *Plane) Observe(ctx context.Context) (agg.Facts, error) {
	f := agg.Facts{At: agg.Instant(bootclock.Now())}
	var err error
	if f.Device, err = p.device.Facts(); err != nil {
		return f, fmt.Errorf("observe %s: %w", p.options.Name, err)
	}
	p.drops.txRing.Add(p.inner.lost())
	t := p.table.Load()
	if t != nil {
		plan := t.plan
		plan.Table, plan.Ports = slices.Clone(plan.Table), slices.Clone(plan.Ports)
		f.Published, f.PublishedAt, f.Buckets = &plan, t.at, t.buckets()
		for i, pp := range plan.Ports {
			facts, foreign := p.portFacts(pp.Name, t.links[i])
			f.Ports = append(f.Ports, facts)
			f.ForeignFilters = append(f.ForeignFilters, foreign...)
		}
	}
	f.Counters = p.drops.values()
	if t != nil {
		f.Counters["guard_opened_ports"] = t.openedPorts()
	}
	if t == nil {
		return f, nil
	}
	if len(p.unreleased) > 0 {
		p.giveBackOthers(ctx, t.plan)
	}
	f.Unreleased = p.unreleased
	p.promisc = f.Device.Promiscuous
	return f, p.keeper.Promiscuous(t.plan, p.promisc)
}

func (t *table) buckets() []agg.BucketFacts {
	out := make([]agg.BucketFacts, len(t.entries))
	for i := range t.entries {
		e := &t.entries[i]
		out[i] = agg.BucketFacts{
			Frames: e.frames.Load(), Bytes: e.bytes.Load(), LastUsed: agg.Instant(e.lastUsed.Load()),
		}
	}
	return out
}

func (p *Plane) portFacts(name string, l *link) (agg.PortFacts, []string) {
	if l == nil {
		return agg.PortFacts{LinkFacts: agg.LinkFacts{Name: name}}, nil
	}
	p.drops.rxRing.Add(l.lost())
	device := readDevice(l.ifindex)
	return agg.PortFacts{
		LinkFacts:      p.linkFacts(name, l.ifindex),
		TxFrames:       l.txFrames.Load(),
		TxBytes:        l.txBytes.Load(),
		RxFrames:       l.rxFrames.Load(),
		RxBytes:        l.rxBytes.Load(),
		DeviceTxFrames: device.txFrames - l.base.txFrames,
		OwnDropped:     device.ownDropped - l.base.ownDropped,
		RxDropped:      l.rxDropped.Load(),
		GuardMoved:     l.guardMoved.Load(),
	}, foreignFilters(name, l.ifindex)
}

// deviceCounters are those the kernel keeps for a port's device.
type deviceCounters struct{ txFrames, ownDropped uint64 }

// readDevice reads the counters of an interface; one that is gone has none.
func readDevice(ifindex int) deviceCounters {
	d := deviceCounters{ownDropped: clsactDrops(ifindex)}
	if l, err := iface.ByIndex(ifindex, iface.Here); err == nil && l.Statistics != nil {
		d.txFrames = l.Statistics.TxPackets
	}
	return d
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
