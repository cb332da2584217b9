package ebpf

import "github.com/yokelag/yoke/agg"

// encode writes a plan in the form of the maps. Ports are found by their place there,
// not by their index in the plan.
func encode(p agg.Plan, at agg.Instant, s places, inner, outer int, fast bool) *yokePlan {
	e := &yokePlan{
		Flags:          flags(p, fast),
		Select:         uint32(p.Select),
		Hash:           uint32(p.Hash),
		Entries:        uint32(len(p.Table)),
		Inner:          uint32(inner),
		Outer:          uint32(outer),
		Generation:     p.Generation,
		PublishedAt:    uint64(at),
		Mode:           uint32(p.Mode),
		Mtu:            uint32(p.MTU),
		PacketsPerPort: uint32(p.PacketsPerPort),
		Punt:           uint32(p.Punt),
		Copied:         uint32(p.Copy),
		Unbalanced:     uint32(p.Unbalanced),
		Multicast:      int16(p.Multicast),
		Mac:            p.MAC,
	}
	for i := range e.Table {
		e.Table[i] = yokeChoice{First: nowhere, Second: nowhere}
	}
	for i, c := range p.Table {
		e.Table[i] = yokeChoice{First: placeOf(p, s, c.First), Second: placeOf(p, s, c.Second)}
	}
	e.Table[single] = yokeChoice{First: placeOf(p, s, p.Multicast), Second: placeOf(p, s, p.Second(p.Multicast))}
	for i, port := range p.Ports {
		e.Ports[s[port.Name]] = encodePort(port, i)
	}
	return e
}

func flags(p agg.Plan, fast bool) yokeFlag {
	f := when(p.Blocked, yokeFlagBLOCKED) | when(fast, yokeFlagFAST) |
		when(p.FastPath, yokeFlagFAST_WANTED) | when(p.Carrier, yokeFlagCARRIER) |
		when(p.Copy|p.Unbalanced != 0, yokeFlagAPART)
	for _, q := range p.Ports {
		f |= when(q.QueueID != 0, yokeFlagAPART|yokeFlagQUEUES) | when(!q.SourceMAC.IsZero(), yokeFlagREWRITE)
	}
	return f
}

func when[F ~uint32](on bool, f F) F {
	if on {
		return f
	}
	return 0
}

func placeOf(p agg.Plan, s places, index int) uint8 {
	if index < 0 || index >= len(p.Ports) {
		return nowhere
	}
	return uint8(s[p.Ports[index].Name])
}

func encodePort(port agg.PlanPort, position int) yokePort {
	e := yokePort{
		Ifindex:   uint32(port.Index),
		Flags:     yokePortFlagUSED | when(port.Transmit, yokePortFlagTRANSMIT) | when(port.Receive, yokePortFlagRECEIVE),
		SourceMac: port.SourceMAC,
		Mac:       port.MAC,
		Position:  uint8(position),
		Order:     int8(port.Order),
		Queue:     uint16(port.QueueID),
	}
	for i := range min(len(port.Name), len(e.Name)-1) {
		e.Name[i] = int8(port.Name[i])
	}
	return e
}
