package lacp

import (
	"fmt"
	"strings"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire/slow"
)

// Reason is the stable code of the condition that keeps a port from carrying, or of why
// it carries.
type Reason string

// The reasons.
const (
	ReasonCarries         Reason = "lacp-distributing"
	ReasonFallback        Reason = "lacp-fallback"
	ReasonPortDown        Reason = "lacp-port-down"
	ReasonDisabled        Reason = "lacp-disabled"
	ReasonPassive         Reason = "lacp-both-passive"
	ReasonSilent          Reason = "lacp-no-partner"
	ReasonExpired         Reason = "lacp-partner-expired"
	ReasonLoop            Reason = "lacp-loop"
	ReasonDuplicate       Reason = "lacp-duplicate-partner"
	ReasonDamped          Reason = "lacp-two-partners"
	ReasonStandby         Reason = "lacp-standby"
	ReasonRestoring       Reason = "lacp-wait-to-restore"
	ReasonOtherAggregator Reason = "lacp-other-aggregator"
	ReasonWaiting         Reason = "lacp-waiting"
	ReasonMismatch        Reason = "lacp-partner-sees-another"
	ReasonNotMaintained   Reason = "lacp-not-maintained"
	ReasonPartnerNotSync  Reason = "lacp-partner-not-in-sync"
	ReasonNotCollecting   Reason = "lacp-partner-not-collecting"
	ReasonDraining        Reason = "lacp-draining"
	ReasonDrained         Reason = "lacp-drained"
	ReasonDetaching       Reason = "lacp-detaching"
)

// Gate is the one condition that decides about a port now.
type Gate struct {
	OK     bool
	Reason Reason
	// Detail says it with numbers, and both ends' state in words; Check is what to look
	// at, mostly on the switch, empty where there is nothing to do.
	Detail string
	Check  string
}

// Gate explains a port by its number.
func (s *System) Gate(number uint16) Gate {
	p := find(s.ports, number)
	if p == nil {
		return Gate{Reason: ReasonPortDown, Detail: fmt.Sprintf("there is no port %d", number)}
	}
	g := s.gate(p)
	if g.Reason != ReasonPortDown && g.Reason != ReasonDisabled {
		g.Detail += "; we: " + p.Actor.State.String()
		if p.known() {
			g.Detail += "; partner: " + p.Partner.State.String()
		}
	}
	return g
}

func (s *System) gate(p *port) Gate {
	switch {
	case p.sends && p.Fallback:
		return Gate{OK: true, Reason: ReasonFallback, Detail: "no partner speaks; this one port carries meanwhile"}
	case p.sends:
		return Gate{OK: true, Reason: ReasonCarries, Detail: "distributing to " + partnerName(p)}
	case p.Drain == DrainFlush || p.Drain == DrainLeave:
		return Gate{Reason: ReasonDraining, Detail: "being drained (" + p.Drain.String() + ")"}
	case p.Block != "":
		return s.blocked(p)
	case p.Selected == Unselected:
		return Gate{Reason: ReasonDetaching, Detail: "its partner has changed; it leaves one aggregator for another"}
	case p.Selected == Standby:
		return s.standing(p)
	case p.Mux == MuxWaiting:
		return Gate{Reason: ReasonWaiting, Detail: fmt.Sprintf("waits %v more for other ports", s.left(s.readyAt(p.Aggregator)))}
	default:
		return s.unanswered(p)
	}
}

func (s *System) left(t agg.Instant) time.Duration {
	return max(0, t.Sub(s.now)).Round(time.Millisecond)
}

func partnerName(p *port) string {
	return fmt.Sprintf("%v port %d", agg.MAC(p.Partner.System), p.Partner.Port)
}

// blocked explains a port that may not be selected.
func (s *System) blocked(p *port) Gate {
	g := Gate{Reason: p.Block}
	switch p.Block {
	case ReasonPortDown:
		g.Detail = "the port is down"
	case ReasonDisabled:
		g.Detail = "LACP is off on this port"
		if p.Link.half() {
			g.Detail, g.Check = "half duplex; LACP needs a full-duplex link", "duplex and autonegotiation at both ends"
		}
	case ReasonDrained:
		g.Detail = "drained for removal"
	case ReasonLoop:
		g.Detail, g.Check = "our own LACPDUs come back", "a cable from the aggregate to itself, or a loop behind the switch"
	case ReasonDamped:
		g.Detail = fmt.Sprintf("several systems speak on this cable; held for %v more", s.left(p.DampUntil))
		g.Check = "a hub or converter between the ends, or two devices on one cable"
	case ReasonDuplicate:
		q := s.duplicate(p)
		g.Detail = partnerName(p) + " is also heard elsewhere"
		if q != nil {
			g.Detail = partnerName(p) + " was heard on " + portName(q) + " first"
		}
		g.Check = "two switches with one system ID and equal port numbers"
	default:
		return s.silentGate(p)
	}
	return g
}

func (s *System) silentGate(p *port) Gate {
	switch {
	case !s.cfg.Active:
		return Gate{Reason: ReasonPassive, Detail: "no LACPDU heard, and lacp_active=off speaks only when spoken to", Check: "LACP mode active on the switch, or lacp_active=on here"}
	case p.Rx == RxExpired:
		return Gate{Reason: ReasonSilent, Detail: fmt.Sprintf("no LACPDU heard yet; given up in %v", s.left(p.CurrentWhile)), Check: "LACP on the switch's port"}
	default:
		return Gate{Reason: ReasonSilent, Detail: "no LACPDU heard", Check: "LACP on the switch's port, and that the cable ends at a port of its group"}
	}
}

func portName(p *port) string {
	if p.cfg.Name != "" {
		return p.cfg.Name
	}
	return fmt.Sprintf("port %d", p.cfg.Number)
}

// standing explains STANDBY.
func (s *System) standing(p *port) Gate {
	switch {
	case p.Aggregator != s.active && p.alone():
		return Gate{Reason: ReasonOtherAggregator, Detail: "an individual link beside an aggregate that carries", Check: "whether the switch has this port in the group"}
	case p.Aggregator != s.active:
		return Gate{Reason: ReasonOtherAggregator, Detail: partnerName(p) + s.otherPartner(p), Check: "that all cables end at one switch, or a pair with one system ID, and in one group"}
	case s.restoring(p):
		return Gate{Reason: ReasonRestoring, Detail: fmt.Sprintf("its link came back; used in %v", s.left(p.RestoredAt))}
	default:
		who := "ours"
		if p.Partner.SystemID() < p.Actor.SystemID() {
			who = "the partner's"
		}
		return Gate{Reason: ReasonStandby, Detail: fmt.Sprintf("max_links=%d, and others have better port IDs by %s", s.cfg.MaxLinks, who)}
	}
}

// otherPartner says what makes the LAG of a port another than the active one.
func (s *System) otherPartner(p *port) string {
	for _, q := range s.ports {
		if q.Aggregator != s.active || q.Selected == Unselected {
			continue
		}
		switch {
		case q.Partner.System != p.Partner.System:
			return " is another system than that of " + portName(q) + ", " + agg.MAC(q.Partner.System).String()
		case q.Partner.Key != p.Partner.Key:
			return fmt.Sprintf(" has key %d there, and %s has %d", p.Partner.Key, portName(q), q.Partner.Key)
		case q.Actor.Key != p.Actor.Key:
			return fmt.Sprintf("; our key is %d here (speed, duplex or lacp_key differ), and %d on %s", p.Actor.Key, q.Actor.Key, portName(q))
		}
	}
	return " is in an aggregator that does not carry"
}

// unanswered explains a port that is ready and whose partner is not.
func (s *System) unanswered(p *port) Gate {
	switch {
	case p.Rx == RxExpired:
		return Gate{Reason: ReasonExpired, Detail: fmt.Sprintf("%s has not been heard; given up in %v", partnerName(p), s.left(p.CurrentWhile)), Check: "one-way loss, or an overloaded or stopped LACP on the switch"}
	case !p.inSync() && p.mismatch() != "":
		return Gate{Reason: ReasonMismatch, Detail: partnerName(p) + " does not see us as we are: " + p.mismatch(), Check: "whether our LACPDUs arrive: one-way cable, or another device between"}
	case !p.inSync() && p.PartnerSaid.Has(slow.Synchronization):
		return Gate{Reason: ReasonNotMaintained, Detail: "neither end is active", Check: "LACP mode active on the switch, or lacp_active=on here"}
	case !p.inSync():
		return Gate{Reason: ReasonPartnerNotSync, Detail: partnerName(p) + " is not in sync", Check: "whether the switch limits the group's links, waits, or has the port in another group"}
	default:
		return Gate{Reason: ReasonNotCollecting, Detail: partnerName(p) + " is in sync and does not collect", Check: "the state of the port on the switch"}
	}
}

// mismatch says in which values the partner's view of us is wrong.
func (p *port) mismatch() string {
	a, b := p.Actor, p.View
	var words []string
	differ := func(what string, is, sees any) {
		if is != sees {
			words = append(words, fmt.Sprintf("%s is %v, it sees %v", what, is, sees))
		}
	}
	differ("system", agg.MAC(a.System), agg.MAC(b.System))
	differ("system priority", a.SystemPriority, b.SystemPriority)
	differ("key", a.Key, b.Key)
	differ("port", a.Port, b.Port)
	differ("port priority", a.PortPriority, b.PortPriority)
	if (a.State^b.State)&slow.Aggregation != 0 {
		words = append(words, "the Aggregation bit differs")
	}
	return strings.Join(words, ", ")
}
