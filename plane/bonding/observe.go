package bonding

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/internal/iface"
)

// Observe reads back what is in force. The plan is reported only while the bond has its
// mode, options and ports, and the active port is the plan's.
func (p *Plane) Observe(ctx context.Context) (agg.Facts, error) {
	f, err := p.observe(ctx)
	if err != nil {
		return f, fmt.Errorf("observe %s: %w", p.options.Name, err)
	}
	return f, nil
}

func (p *Plane) observe(ctx context.Context) (agg.Facts, error) {
	f := agg.Facts{At: agg.Instant(bootclock.Now())}
	s, err := p.driver.Read(p.index)
	if errors.Is(err, unix.ENODEV) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	f.Device = agg.DeviceFacts{Present: true, Index: s.Index, AdminUp: s.Up, Carrier: s.Carrier, MTU: s.MTU, MAC: s.MAC}
	addresses, err := iface.Addresses(s.Index, iface.Here)
	if err != nil {
		return f, err
	}
	for _, a := range addresses {
		if a.Usable() {
			f.Device.Addresses = append(f.Device.Addresses, a.Prefix.Addr())
		}
	}
	if p.note.Plan == nil {
		return f, nil
	}
	plan := p.note.Noted()
	if len(p.unreleased) > 0 {
		p.unreleased = p.keeper.LetGo(ctx, plan)
	}
	f.Unreleased = p.unreleased
	if same, err := p.inForce(s, plan); err != nil {
		return f, err
	} else if same {
		f.Published, f.PublishedAt = &plan, p.note.At
	}
	f.Counters = map[string]uint64{}
	for _, pp := range plan.Ports {
		f.Ports = append(f.Ports, p.portFacts(pp))
		if q, ok := s.Port(pp.Name); ok {
			f.Counters["link_failures_"+pp.Name] = uint64(q.Failures)
		}
	}
	return f, nil
}

// inForce compares the bond with a plan.
func (p *Plane) inForce(s State, plan agg.Plan) (bool, error) {
	want, err := p.wanted(plan, s)
	if err != nil {
		return false, err
	}
	for _, pp := range plan.Ports {
		if pp.Index != 0 && !slices.ContainsFunc(s.Ports, func(x Port) bool { return x.Index == pp.Index }) {
			return false, nil
		}
	}
	if p.spec != nil {
		return !differs(s, want), nil
	}
	a := active(plan)
	return !differs(s, want) && seen(s, plan) && (a == 0 || !s.Up || s.Options["active_slave"] == itoa(a)), nil
}

func (p *Plane) portFacts(pp agg.PlanPort) agg.PortFacts {
	f := agg.PortFacts{LinkFacts: agg.LinkFacts{Name: pp.Name}}
	l, err := iface.ByIndex(pp.Index, iface.Here)
	if pp.Index == 0 || err != nil {
		return f
	}
	f.Index, f.Present, f.AdminUp, f.Carrier, f.MTU = l.Index, true, l.AdminUp(), l.Carrier, l.MTU
	copy(f.MAC[:], l.HardwareAddr)
	if s, err := p.tool.Settings(l.Name); err == nil {
		f.Speed, f.FullDuplex = s.Speed, s.FullDuplex
	}
	if s := l.Statistics; s != nil {
		f.TxFrames, f.TxBytes, f.RxFrames, f.RxBytes = s.TxPackets, s.TxBytes, s.RxPackets, s.RxBytes
		f.DeviceTxFrames = f.TxFrames
	}
	return f
}
