package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
)

// summary is the first line of status.
func summary(s agg.Status) string {
	if s.Total == 0 {
		return "no ports; nothing carries traffic"
	}
	line := fmt.Sprintf("%d of %d ports carry traffic", s.Carrying, s.Total)
	if s.Carrying == 1 {
		line = fmt.Sprintf("1 of %s carries traffic", count(s.Total, "port", "ports"))
	}
	if s.Active != "" && s.Carrying == 1 && s.Total > 1 {
		line += " (" + s.Active + ")"
	}
	var others []string
	for _, p := range s.Ports {
		if !p.Carrying {
			others = append(others, whyNot(s, p))
		}
	}
	if more := len(others) - shownReasons; more > 0 {
		others = append(others[:shownReasons], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(append([]string{line}, others...), "; ")
}

// whyNot says in a clause why a port does not carry.
func whyNot(s agg.Status, p agg.PortStatus) string {
	g, shut := firstShut(p.Gates)
	if !shut {
		return p.Name + ": " + p.Text
	}
	if standsBy(g) {
		return p.Name + " stands by"
	}
	return p.Name + ": " + clause(g, s.At)
}

// standsBy reports whether a port is healthy and merely not needed.
func standsBy(shut agg.Gate) bool {
	return shut.Name == agg.GatePolicy && shut.Reason == "backup" || shut.Name == agg.GateLACP && shut.Reason == string(lacp.ReasonStandby)
}

// clause describes a shut gate, with its age.
func clause(g agg.Gate, now agg.Instant) string {
	if g.Since == agg.Never || g.Name == agg.GateWatch {
		return g.Detail
	}
	return g.Detail + " for " + ago(now.Sub(g.Since))
}

func firstShut(gates []agg.Gate) (agg.Gate, bool) {
	for _, g := range gates {
		if !g.OK {
			return g, true
		}
	}
	return agg.Gate{}, false
}

// portText says in one sentence why a port carries, or does not.
func portText(s agg.Status, p agg.PortStatus) string {
	g, shut := firstShut(p.Gates)
	switch {
	case !shut:
		return carriesText(p.Name, detailOf(p.Gates, agg.GatePolicy))
	case standsBy(g):
		return p.Name + " stands by: " + g.Detail
	default:
		return p.Name + " carries no traffic: " + clause(g, s.At)
	}
}

// carriesText begins with the port and ends with why: "eth1 carries 128 of 256 buckets",
// "eth1 is active: it is the primary".
func carriesText(name, why string) string {
	if strings.HasPrefix(why, "carries ") {
		return name + " " + why
	}
	return name + " is " + why
}

func detailOf(gates []agg.Gate, name string) string {
	for _, g := range gates {
		if g.Name == name {
			return g.Detail
		}
	}
	return ""
}

// ago writes a duration with one unit, as people say it.
func ago(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", max(0, d.Milliseconds()))
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}
