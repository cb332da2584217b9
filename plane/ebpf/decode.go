package ebpf

import "github.com/yokelag/yoke/agg"

// decode reads back the plan and the places of its ports.
func decode(e *yokePlan) (agg.Plan, places) {
	p := agg.Plan{
		Generation:     e.Generation,
		Mode:           agg.Mode(e.Mode),
		Blocked:        e.Flags&yokeFlagBLOCKED != 0,
		Carrier:        e.Flags&yokeFlagCARRIER != 0,
		FastPath:       e.Flags&yokeFlagFAST_WANTED != 0,
		MAC:            e.Mac,
		MTU:            int(e.Mtu),
		Select:         agg.Selector(e.Select),
		Hash:           agg.HashPolicy(e.Hash),
		PacketsPerPort: int(e.PacketsPerPort),
		Multicast:      int(e.Multicast),
		Punt:           agg.FrameClass(e.Punt),
		Copy:           agg.FrameClass(e.Copied),
		Unbalanced:     agg.FrameClass(e.Unbalanced),
	}
	s := places{}
	indexes := decodePorts(e, &p, s)
	for _, c := range e.Table[:min(int(e.Entries), agg.NumBuckets)] {
		p.Table = append(p.Table, agg.Choice{First: indexes(c.from()), Second: indexes(c.Second), Moves: c.moves()})
	}
	return p, s
}

// decodePorts puts the ports in their configured order and returns the way from places
// to indexes.
func decodePorts(e *yokePlan, p *agg.Plan, s places) func(uint8) int {
	n := 0
	for i := range e.Ports {
		if e.Ports[i].Flags&yokePortFlagUSED != 0 {
			n++
		}
	}
	p.Ports = make([]agg.PlanPort, n)
	for i := range e.Ports {
		q := &e.Ports[i]
		if q.Flags&yokePortFlagUSED == 0 || int(q.Position) >= n {
			continue
		}
		port := decodePort(q)
		p.Ports[q.Position] = port
		s[port.Name] = i
	}
	return func(place uint8) int {
		if place >= agg.MaxPorts || e.Ports[place].Flags&yokePortFlagUSED == 0 {
			return agg.NoPort
		}
		return int(e.Ports[place].Position)
	}
}

func decodePort(q *yokePort) agg.PlanPort {
	return agg.PlanPort{
		Name:      text(q.Name[:]),
		Index:     int(q.Ifindex),
		Transmit:  q.Flags&yokePortFlagTRANSMIT != 0,
		Receive:   q.Flags&yokePortFlagRECEIVE != 0,
		SourceMAC: q.SourceMac,
		MAC:       q.Mac,
		Order:     int(q.Order),
		QueueID:   int(q.Queue),
	}
}

// text is a C string.
func text(c []int8) string {
	var b []byte
	for _, x := range c {
		if x == 0 {
			break
		}
		b = append(b, byte(x))
	}
	return string(b)
}
