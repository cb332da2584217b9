package bonding

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire/slow"
)

// Driver tells what the driver makes of the ports now.
func (p *Plane) Driver(context.Context) (agg.DriverFacts, error) {
	s, err := p.driver.Read(p.index)
	if err != nil {
		return agg.DriverFacts{}, fmt.Errorf("ask the bonding driver about %s: %w", p.options.Name, err)
	}
	var proc Proc
	if s.Mode() == agg.LACP { // what netlink does not tell, where the text is to be had
		proc, _ = readProc(s.Name)
	}
	return facts(s, proc), nil
}

// readProc reads the text of a bond. The net directory in /proc is that of the thread.
func readProc(name string) (Proc, error) {
	text, err := os.ReadFile("/proc/thread-self/net/bonding/" + name)
	if err != nil {
		return Proc{}, err
	}
	return ParseProc(string(text))
}

func facts(s State, proc Proc) agg.DriverFacts {
	out := agg.DriverFacts{Carrier: s.Carrier}
	for _, q := range s.Ports {
		if s.Options["active_slave"] == itoa(q.Index) {
			out.Active = q.Name
		}
		out.Ports = append(out.Ports, portFactsOf(s, q, proc))
	}
	if s.Mode() == agg.LACP {
		out.LACP = lacpFacts(s, proc)
	}
	return out
}

func portFactsOf(s State, q Port, proc Proc) agg.DriverPort {
	out := agg.DriverPort{Name: q.Name, Link: agg.DriverLink(q.Link)}
	mode := s.Mode()
	if mode == agg.LACP {
		out.LACP = portLACP(s, q, proc)
	}
	switch {
	case !q.Works():
		out.Reason, out.Detail = "link-down", "the driver's watch says "+q.Link
	case mode == agg.ActiveBackup && s.Options["active_slave"] != itoa(q.Index):
		out.Receives = s.Options["all_slaves_active"] == "1"
		out.Reason, out.Detail = "backup", "ready: the driver has another port active"
	case mode == agg.LACP:
		out.Sends, out.Receives = q.Active, q.Active
		out.Reason, out.Detail = agreement(s, q)
	default:
		out.Sends, out.Receives = true, true
		out.Reason, out.Detail = "carries", "carries: the driver has it in use"
	}
	return out
}

// agreement tells what LACP has come to on a port.
func agreement(s State, q Port) (code, text string) {
	actor, partner := slow.State(q.ActorState), slow.State(q.PartnerState)
	ends := fmt.Sprintf("we are %s; the partner is %s", actor, partner)
	switch {
	case q.Active && !actor.Has(slow.Distributing):
		return "no-partner", "carries without a partner, as the bonding driver does where nobody speaks LACP"
	case q.Active:
		return "distributing", ends
	case s.Aggregator.ID != 0 && q.AggregatorID != s.Aggregator.ID:
		return "other-aggregator", fmt.Sprintf("is in aggregator %d, and %d carries; %s", q.AggregatorID, s.Aggregator.ID, ends)
	case actor.Has(slow.Defaulted):
		return "no-partner", "no LACPDU was heard; " + ends
	default:
		return "not-distributing", ends
	}
}

func portLACP(s State, q Port, proc Proc) *agg.PortLACP {
	actor := slow.State(q.ActorState)
	out := &agg.PortLACP{
		Receives: q.Active, Sends: q.Active, Aggregator: q.AggregatorID, Active: q.AggregatorID == s.Aggregator.ID && q.AggregatorID != 0,
		Fallback: q.Active && !actor.Has(slow.Distributing),
		Actor:    agg.LACPEnd{State: q.ActorState, Words: actor.String()},
		Partner:  agg.LACPEnd{State: q.PartnerState, Words: slow.State(q.PartnerState).String()},
	}
	if q.AggregatorID != 0 {
		out.Selected = "SELECTED"
	}
	for _, t := range proc.Ports {
		if t.Name != q.Name {
			continue
		}
		out.ActorChurn, out.PartnerChurn = t.Fields["Actor Churn State"], t.Fields["Partner Churn State"]
		out.Counters = churns(t)
		if t.Actor != nil {
			out.Actor, out.Number = lacpEnd(*t.Actor), t.Actor.Port
		}
		if t.Partner != nil {
			out.Partner = lacpEnd(*t.Partner)
		}
	}
	return out
}

// churns are how often either end was given up, by the names that Yoke's own LACP has for it.
func churns(p ProcPort) map[string]uint64 {
	out := map[string]uint64{}
	for name, label := range map[string]string{"actor_churns": "Actor Churned Count", "partner_churns": "Partner Churned Count"} {
		if n, err := strconv.ParseUint(p.Fields[label], 10, 64); err == nil {
			out[name] = n
		}
	}
	return out
}

func lacpEnd(p ProcSystem) agg.LACPEnd {
	return agg.LACPEnd{SystemPriority: p.Priority, System: p.MAC, Key: p.Key, PortPriority: p.PortPriority, Port: p.Port,
		State: p.State, Words: slow.State(p.State).String()}
}

func lacpFacts(s State, proc Proc) *agg.LACPStatus {
	out := &agg.LACPStatus{
		Key: s.Aggregator.ActorKey, Aggregator: s.Aggregator.ID, Ports: int(s.Aggregator.Ports),
		Partner: s.Aggregator.Partner, PartnerKey: s.Aggregator.PartnerKey, Carrier: s.Carrier,
	}
	if n, err := strconv.ParseUint(proc.Fields["System priority"], 10, 16); err == nil {
		out.SystemPriority = uint16(n)
	}
	if m, err := agg.ParseMAC(proc.Fields["System MAC address"]); err == nil {
		out.System = m
	}
	for _, t := range proc.Ports { // in the order of joining
		if q, ok := s.Port(t.Name); ok && t.Partner != nil && q.AggregatorID == s.Aggregator.ID {
			out.PartnerPriority = t.Partner.Priority
		}
	}
	return out
}
