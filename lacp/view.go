package lacp

import (
	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire/slow"
)

// End is one end of a link as status shows it.
type End struct {
	SystemPriority uint16  `json:"system_priority"`
	System         agg.MAC `json:"system"`
	Key            uint16  `json:"key"`
	PortPriority   uint16  `json:"port_priority"`
	Port           uint16  `json:"port"`
	// State is the octet, Words its bits in words.
	State slow.State `json:"state"`
	Words string     `json:"state_words"`
}

func endOf(i slow.Info) End {
	return End{i.SystemPriority, agg.MAC(i.System), i.Key, i.PortPriority, i.Port, i.State, i.State.String()}
}

// PortView is a port as the plan and status need it.
type PortView struct {
	Number uint16 `json:"number"`
	Name   string `json:"name"`
	// Receives and Sends are what the plan is to let through.
	Receives bool `json:"receives"`
	Sends    bool `json:"sends"`
	// Fallback: the port is open without a partner.
	Fallback bool `json:"fallback,omitempty"`
	// Yields: it gives its place to a better one, and sends until its traffic has moved.
	Yields bool `json:"yields,omitempty"`
	// Drained: it was drained for removal and can be taken away.
	Drained    bool   `json:"drained,omitempty"`
	Aggregator uint16 `json:"aggregator"`
	// Active: its aggregator is the one that carries.
	Active       bool     `json:"active"`
	Selected     string   `json:"selected"`
	Receive      string   `json:"receive_machine"`
	Periodic     string   `json:"periodic_machine"`
	Mux          string   `json:"mux_machine"`
	ActorChurn   string   `json:"actor_churn"`
	PartnerChurn string   `json:"partner_churn"`
	Actor        End      `json:"actor"`
	Partner      End      `json:"partner"`
	Counters     Counters `json:"counters"`
}

// Open tells what the plan is to let through, by the number of a port, without making
// anything.
func (s *System) Open(number uint16) (receives, sends bool) {
	if p := find(s.ports, number); p != nil {
		return p.receives, p.sends
	}
	return false, false
}

// Yields tells by the number of a port whether it gives its place to a better one, without
// making anything; see [Config.Yield].
func (s *System) Yields(number uint16) bool {
	p := find(s.ports, number)
	return p != nil && p.yields
}

// Port returns a port by its number; ok is false where there is none.
func (s *System) Port(number uint16) (v PortView, ok bool) {
	p := find(s.ports, number)
	if p == nil {
		return v, false
	}
	return PortView{
		Number: p.cfg.Number, Name: p.cfg.Name, Receives: p.receives, Sends: p.sends,
		Fallback: p.Fallback, Yields: p.yields, Drained: p.Drain == DrainDone,
		Aggregator: p.Aggregator, Active: p.Aggregator != 0 && p.Aggregator == s.active,
		Selected: p.Selected.String(), Receive: p.Rx.String(), Periodic: p.Periodic.String(), Mux: p.Mux.String(),
		ActorChurn: p.ActorChurn.String(), PartnerChurn: p.PartnerChurn.String(),
		Actor: endOf(p.Actor), Partner: endOf(p.Partner), Counters: p.counters,
	}, true
}

// Ports returns the numbers of the ports, in order.
func (s *System) Ports() []uint16 {
	out := make([]uint16, len(s.ports))
	for i, p := range s.ports {
		out[i] = p.cfg.Number
	}
	return out
}
