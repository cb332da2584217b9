package proc

import (
	"fmt"

	"github.com/yokelag/yoke/agg"
)

// lacpText is the block of mode 802.3ad.
func lacpText(s agg.Status, c agg.LACPConfig) string {
	l := s.LACP
	if l == nil {
		l = &agg.LACPStatus{SystemPriority: c.SystemPriority, System: c.System}
	}
	text := fmt.Sprintf("802.3ad info\nLACP active: %s\nLACP rate: %s\nMin links: %d\nAggregator selection policy (ad_select): %s\n"+
		"System priority: %d\nSystem MAC address: %s\n",
		value(s.Spec, "lacp_active"), value(s.Spec, "lacp_rate"), c.MinLinks, c.Select, l.SystemPriority, l.System)
	if l.Aggregator == 0 {
		return text + fmt.Sprintf("bond %s has no active aggregator\n", s.Name)
	}
	return text + fmt.Sprintf("Active Aggregator Info:\n\tAggregator ID: %d\n\tNumber of ports: %d\n\tActor Key: %d\n\tPartner Key: %d\n\tPartner Mac Address: %s\n",
		l.Aggregator, l.Ports, l.Key, l.PartnerKey, l.Partner)
}

// portLACPText is what mode 802.3ad adds to a port.
func portLACPText(l *agg.PortLACP) string {
	if l == nil || l.Aggregator == 0 {
		return "Aggregator ID: N/A\n"
	}
	return fmt.Sprintf("Aggregator ID: %d\nActor Churn State: %s\nPartner Churn State: %s\nActor Churned Count: %d\nPartner Churned Count: %d\n",
		l.Aggregator, churnWords(l.ActorChurn), churnWords(l.PartnerChurn), l.Counters["actor_churns"], l.Counters["partner_churns"]) +
		"details actor lacp pdu:\n" + endText(l.Actor, "port key") +
		"details partner lacp pdu:\n" + endText(l.Partner, "oper key")
}

// endText is one end of a link; the driver calls the keys of the two differently.
func endText(e agg.LACPEnd, key string) string {
	return fmt.Sprintf("    system priority: %d\n    system mac address: %s\n    %s: %d\n    port priority: %d\n    port number: %d\n    port state: %d\n",
		e.SystemPriority, e.System, key, e.Key, e.PortPriority, e.Port, e.State)
}

// churnWords are the driver's for a state of a churn machine. On plane bonding they are the
// state.
func churnWords(state string) string {
	switch state {
	case "CHURN_MONITOR":
		return "monitoring"
	case "NO_CHURN":
		return "none"
	case "CHURN":
		return "churned"
	case "":
		return "unknown"
	default:
		return state
	}
}
