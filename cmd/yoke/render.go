package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// summary is the first line, which names the aggregate.
func summary(s agg.Status) string {
	if strings.HasPrefix(s.Summary, s.Name+":") {
		return s.Summary
	}
	return s.Name + ": " + s.Summary
}

func (a *app) printStatus(s agg.Status, verbose bool) error {
	fmt.Fprintln(a.out, summary(s))
	if !s.Daemon.Running && s.Daemon.Text != "" {
		fmt.Fprintln(a.out, "  "+s.Daemon.Text)
	}
	fmt.Fprintln(a.out, "  "+deviceLine(s))
	if unseen(s) {
		a.printUnseen(s)
		return nil
	}
	fmt.Fprintln(a.out, "  "+planLine(s.Plan))
	if s.LACP != nil {
		fmt.Fprintln(a.out, "  "+lacpLine(*s.LACP))
	}
	if err := a.printPorts(s.Ports); err != nil {
		return err
	}
	if err := a.printLACP(s.Ports); err != nil {
		return err
	}
	if verbose {
		a.printGates(s)
		a.printLACPCounters(s.Ports)
		a.printCounters(s)
	}
	a.printFindings("  ", s.Findings)
	return nil
}

// unseen reports whether nobody looks after an aggregate.
func unseen(s agg.Status) bool {
	return slices.ContainsFunc(s.Findings, func(f agg.Finding) bool {
		return f.Code == control.FindingNotAdopted || f.Code == control.FindingNotTakenApart
	})
}

// printUnseen is for such a one.
func (a *app) printUnseen(s agg.Status) {
	words := []string{"  ports, and nobody can say what they carry:"}
	for _, p := range s.Ports {
		words = append(words, p.Name)
	}
	if len(s.Ports) > 0 {
		fmt.Fprintln(a.out, strings.Join(words, " "))
	}
	a.printFindings("  ", s.Findings)
}

func deviceLine(s agg.Status) string {
	words := []string{"mode " + s.Mode, "plane " + s.Plane}
	if s.Active != "" {
		words = append(words, "active "+s.Active)
	}
	d := s.Device
	if !d.Present {
		return strings.Join(append(words, "device absent"), ", ")
	}
	state := "device down"
	if d.AdminUp {
		state = "device up"
	}
	if d.Carrier {
		state += " with carrier"
	} else {
		state += " without carrier"
	}
	return strings.Join(append(words, fmt.Sprintf("mac %s", d.MAC), fmt.Sprintf("mtu %d", d.MTU), state), ", ")
}

func planLine(p agg.PlanStatus) string {
	if p.Generation == 0 {
		return "no plan is published"
	}
	state := "in force"
	if !p.InForce {
		state = "NOT in force"
	}
	text := fmt.Sprintf("plan %d %s for %s, %s", p.Generation, state, ageText(time.Duration(p.AgeMS)*time.Millisecond), p.Select)
	if len(p.Order) > 0 {
		text += ", order " + strings.Join(p.Order, " ")
	}
	if len(p.Shares) > 0 && p.Select != agg.SelectFixed.String() {
		text += ", shares " + sharesText(p.Shares)
	}
	if p.Blocked {
		text += ", BLOCKED both ways"
	}
	if p.FastPath {
		text += ", fast path (transmitted frames bypass tcpdump and the device's counters)"
	}
	return text
}

func sharesText(shares map[string]int) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(shares)) {
		words = append(words, fmt.Sprintf("%s %d", name, shares[name]))
	}
	return strings.Join(words, " ")
}

func ageText(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}

// gateNames is the chain's order, without gates that no port has.
func gateNames(ports []agg.PortStatus) []string {
	var names []string
	for _, p := range ports {
		at := 0
		for _, g := range p.Gates {
			if i := slices.Index(names, g.Name); i >= 0 {
				at = i + 1
				continue
			}
			names = slices.Insert(names, at, g.Name)
			at++
		}
	}
	return names
}

func (a *app) printPorts(ports []agg.PortStatus) error {
	if len(ports) == 0 {
		fmt.Fprintln(a.out, "  no ports")
		return nil
	}
	gates := gateNames(ports)
	t := a.table()
	fmt.Fprintf(t, "  PORT\tCARRIES\t%s\tWHY\n", strings.ToUpper(strings.Join(gates, "\t")))
	for _, p := range ports {
		row := []string{"  " + p.Name, yesNo(p.Carrying)}
		for _, name := range gates {
			row = append(row, gateCell(p, name))
		}
		fmt.Fprintln(t, strings.Join(append(row, strings.TrimPrefix(p.Text, p.Name+" ")), "\t"))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the status: %w", err)
	}
	return nil
}

// gateCell is "ok", the reason of a shut gate, or "-" where the port has no such gate.
func gateCell(p agg.PortStatus, name string) string {
	for _, g := range p.Gates {
		switch {
		case g.Name != name:
		case g.OK:
			return "ok"
		default:
			return g.Reason
		}
	}
	return "-"
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func (a *app) printGates(s agg.Status) {
	t := a.table()
	for _, p := range s.Ports {
		f := p.Facts
		fmt.Fprintf(t, "  %s\ttx %d frames %d bytes, rx %d frames %d bytes, failures %d\n", p.Name,
			f.TxFrames, f.TxBytes, f.RxFrames, f.RxBytes, p.Failures)
		fmt.Fprintf(t, "  \town stack's frames dropped %d, received and dropped %d, moved by the guard %d\n",
			f.OwnDropped, f.RxDropped, f.GuardMoved)
		for _, g := range p.Gates {
			fmt.Fprintf(t, "    %s\t%s\t%s\t%s\t%s\n", g.Name, shutOpen(g.OK), g.Reason, sinceText(s.At, g.Since), g.Detail)
		}
	}
	t.Flush()
}

func shutOpen(ok bool) string {
	if ok {
		return "open"
	}
	return "shut"
}

func sinceText(now, since agg.Instant) string {
	if since == agg.Never {
		return "-"
	}
	return "for " + ageText(now.Sub(since))
}

func (a *app) printCounters(s agg.Status) {
	for _, name := range slices.Sorted(maps.Keys(s.Counters)) {
		fmt.Fprintf(a.out, "  %s %d\n", name, s.Counters[name])
	}
}
