package team

import (
	"context"
	"errors"
	"fmt"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/team"
)

// Observe reads back what is in force. The plan is reported only while the driver's mode
// and options are those that it makes; when somebody else changed one, there is none.
func (p *Plane) Observe(ctx context.Context) (agg.Facts, error) {
	f := agg.Facts{At: agg.Instant(bootclock.Now())}
	var err error
	if f.Device, err = p.deviceFacts(); err != nil {
		return f, fmt.Errorf("observe %s: %w", p.options.Name, err)
	}
	if p.note.Plan == nil || !f.Device.Present {
		return f, nil
	}
	same, err := p.inForce()
	if err != nil {
		return f, fmt.Errorf("observe %s: %w", p.options.Name, err)
	}
	plan := p.note.Noted()
	if len(p.unreleased) > 0 {
		p.release(ctx, plan)
	}
	f.Unreleased = p.unreleased
	if same {
		f.Published, f.PublishedAt = &plan, p.note.At
	}
	for _, pp := range plan.Ports {
		f.Ports = append(f.Ports, p.portFacts(pp))
	}
	return f, nil
}

// inForce compares the driver with the plan.
func (p *Plane) inForce() (bool, error) {
	want, err := lay(*p.note.Plan)
	if err != nil {
		return false, err
	}
	have, err := p.device.Options()
	if errors.Is(err, team.ErrNotTeam) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	mode, _ := have.Find(team.Key{Name: team.OptMode})
	return mode.String() == want.mode && len(want.differing(have)) == 0, nil
}

func (p *Plane) deviceFacts() (agg.DeviceFacts, error) {
	l, err := iface.ByIndex(p.device.Index(), iface.Here)
	if iface.IsAbsent(err) {
		return agg.DeviceFacts{}, nil
	}
	if err != nil {
		return agg.DeviceFacts{}, err
	}
	f := agg.DeviceFacts{Present: true, Name: l.Name, Index: l.Index, AdminUp: l.AdminUp(), Carrier: l.Carrier, MTU: l.MTU}
	copy(f.MAC[:], l.HardwareAddr)
	addresses, err := iface.Addresses(l.Index, iface.Here)
	for _, a := range addresses {
		if a.Usable() {
			f.Addresses = append(f.Addresses, a.Prefix.Addr())
		}
	}
	return f, err
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
	now, base := trafficOf(l), p.note.Own.Base[pp.Index]
	// The driver has no counters of its own by port: the port's are the aggregate's.
	f.TxFrames, f.TxBytes = now.TxFrames-base.TxFrames, now.TxBytes-base.TxBytes
	f.RxFrames, f.RxBytes = now.RxFrames-base.RxFrames, now.RxBytes-base.RxBytes
	f.DeviceTxFrames = f.TxFrames
	return f
}

func readTraffic(index int) traffic {
	l, err := iface.ByIndex(index, iface.Here)
	if err != nil {
		return traffic{}
	}
	return trafficOf(l)
}

func trafficOf(l iface.Link) traffic {
	if l.Statistics == nil {
		return traffic{}
	}
	s := l.Statistics
	return traffic{s.TxPackets, s.TxBytes, s.RxPackets, s.RxBytes}
}
