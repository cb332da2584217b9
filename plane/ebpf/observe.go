package ebpf

import (
	"context"
	"fmt"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
)

// Observe reads back what is in force. The plan comes from the maps that the programs
// read, not from memory.
func (p *Plane) Observe(_ context.Context) (agg.Facts, error) {
	f := agg.Facts{At: agg.Instant(bootclock.Now())}
	e, err := p.publish.inForce()
	if err != nil {
		return f, fmt.Errorf("observe %s: %w", p.options.Name, err)
	}
	if e.PublishedAt != 0 {
		plan, _ := decode(e)
		f.Published, f.PublishedAt = &plan, agg.Instant(e.PublishedAt)
	}
	if err := p.observe(&f); err != nil {
		return f, fmt.Errorf("observe %s: %w", p.options.Name, err)
	}
	return f, nil
}

func (p *Plane) observe(f *agg.Facts) (err error) {
	if f.Device, err = p.device.Facts(); err != nil {
		return err
	}
	if f.Counters, err = p.drops(); err != nil {
		return err
	}
	if f.Published == nil {
		return nil
	}
	if f.Buckets, err = p.buckets(len(f.Published.Table)); err != nil {
		return err
	}
	for _, port := range f.Published.Ports {
		facts, err := p.portFacts(port)
		if err != nil {
			return err
		}
		f.Ports = append(f.Ports, facts)
	}
	return nil
}

func (p *Plane) portFacts(port agg.PlanPort) (agg.PortFacts, error) {
	s, err := p.portStats(p.places[port.Name])
	if err != nil {
		return agg.PortFacts{}, err
	}
	return agg.PortFacts{
		LinkFacts:  agg.LinkFacts{Name: port.Name, Index: port.Index},
		TxFrames:   s.TxFrames,
		TxBytes:    s.TxBytes,
		RxFrames:   s.RxFrames,
		RxBytes:    s.RxBytes,
		OwnDropped: s.OwnDropped,
		RxDropped:  s.RxDropped,
		GuardMoved: s.GuardMoved,
	}, nil
}
