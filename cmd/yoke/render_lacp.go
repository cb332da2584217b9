package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/yokelag/yoke/agg"
)

// lacpLine says who the two ends are.
func lacpLine(l agg.LACPStatus) string {
	text := fmt.Sprintf("lacp system %d %s key %d", l.SystemPriority, l.System, l.Key)
	if l.Ports == 0 {
		return text + ", no partner"
	}
	return text + fmt.Sprintf(", partner %d %s key %d on %d ports", l.PartnerPriority, l.Partner, l.PartnerKey, l.Ports)
}

// printLACP shows both ends of each port that speaks LACP, and its machines.
func (a *app) printLACP(ports []agg.PortStatus) error {
	if !slices.ContainsFunc(ports, func(p agg.PortStatus) bool { return p.LACP != nil }) {
		return nil
	}
	t := a.table()
	fmt.Fprintln(t, "  LACP\tRECEIVE\tSELECTED\tMUX\tAGGREGATOR\tACTOR\tPARTNER")
	for _, p := range ports {
		if l := p.LACP; l != nil {
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.Name, l.Receive, l.Selected, l.Mux, aggregatorText(l), endText(l.Actor), endText(l.Partner))
		}
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the status: %w", err)
	}
	return nil
}

func aggregatorText(l *agg.PortLACP) string {
	switch {
	case l.Aggregator == 0:
		return "-"
	case l.Active:
		return fmt.Sprintf("%d active", l.Aggregator)
	default:
		return fmt.Sprint(l.Aggregator)
	}
}

// endText is the system, the port and the state of one end; nobody is "-".
func endText(e agg.LACPEnd) string {
	if e.System.IsZero() {
		return "-"
	}
	return fmt.Sprintf("%s port %d: %s", e.System, e.Port, e.Words)
}

// printLACPCounters shows what was counted of each port, without what is zero.
func (a *app) printLACPCounters(ports []agg.PortStatus) {
	const gap = "longest_gap_sent_ns"
	for _, p := range ports {
		if p.LACP == nil {
			continue
		}
		var words []string
		for _, name := range slices.Sorted(maps.Keys(p.LACP.Counters)) {
			if n := p.LACP.Counters[name]; n > 0 && name != gap {
				words = append(words, fmt.Sprintf("%s %d", name, n))
			}
		}
		words = append(words, "longest gap sent "+ageText(time.Duration(p.LACP.Counters[gap])))
		fmt.Fprintf(a.out, "  %s lacp: churn actor %s, partner %s; %s\n", p.Name, p.LACP.ActorChurn, p.LACP.PartnerChurn, strings.Join(words, ", "))
	}
}
