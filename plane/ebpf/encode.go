package ebpf

import (
	"slices"

	"github.com/yokelag/yoke/agg"
)

// encode writes a plan in the form of the maps, but for the way to the aggregate's device.
// Ports are found by their place there, not by their index in the plan.
func encode(p agg.Plan, at agg.Instant, s places) *yokePlan {
	e := &yokePlan{
		Flags:          flags(p),
		Select:         uint32(p.Select),
		Hash:           uint32(p.Hash),
		Entries:        uint32(len(p.Table)),
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
		if from, _ := p.Move(i); from != "" {
			e.Table[i].First += moves
		}
	}
	e.Table[single] = yokeChoice{First: placeOf(p, s, p.Multicast), Second: placeOf(p, s, p.Second(p.Multicast))}
	for i, port := range p.Ports {
		e.Ports[s[port.Name]] = encodePort(port, i)
	}
	return e
}

// route sets how frames come to the aggregate's device and from it: inner and outer are its
// ends, and elsewhere says that the outer one is in another network namespace.
func (e *yokePlan) route(inner, outer int, elsewhere bool) *yokePlan {
	e.Inner, e.Outer = uint32(inner), uint32(outer)
	e.Flags &^= yokeFlagFAST | yokeFlagPEER
	e.Flags |= when(elsewhere && e.oneMAC(), yokeFlagPEER) | when(!elsewhere && e.Flags&yokeFlagFAST_WANTED != 0, yokeFlagFAST)
	return e
}

// oneMAC: the ports have the aggregate's address. Where not, frames must pass the pair, which
// looks anew whom they are for; the port has seen that they are not for itself.
func (e *yokePlan) oneMAC() bool {
	return !slices.ContainsFunc(e.Ports[:], func(q yokePort) bool { return q.Mac != [6]uint8{} && q.Mac != e.Mac })
}

func flags(p agg.Plan) yokeFlag {
	f := when(p.Blocked, yokeFlagBLOCKED) |
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
