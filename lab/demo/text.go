package demo

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/yokelag/yoke/lab"
)

const notMeasured = "not measured"

// WriteText prints the table.
func (r *Result) WriteText(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 8, 3, ' ', 0)
	for _, row := range []struct {
		name string
		text func(Aggregate) string
	}{
		{"mode", func(a Aggregate) string { return a.Mode }},
		{"plane", func(a Aggregate) string { return a.Plane }},
		{"cables pulled (n)", func(a Aggregate) string { return fmt.Sprint(a.Out.Pulls) }},
		{"failover to the peer, median", func(a Aggregate) string { return spacing(a.Out.Median) }},
		{"  worst", func(a Aggregate) string { return worstText(a.Out) }},
		{"failover from the peer, median", func(a Aggregate) string { return spacing(a.In.Median) }},
		{"  worst", func(a Aggregate) string { return worstText(a.In) }},
		{"frames lost to the peer", func(a Aggregate) string { return lostText(a.Out) }},
		{"frames lost from the peer", func(a Aggregate) string { return lostText(a.In) }},
		{"flows moved by a pull", flowsText},
		{"daemon killed (-9)", killText},
		{"cable pulled while it was dead", deadPullText},
		{"next daemon", func(a Aggregate) string { return lossText(a.Restart) }},
		{"cable pulled after that", func(a Aggregate) string { return lossText(a.NextPull) }},
		{"throughput to the peer", func(a Aggregate) string { return throughputText(a.Throughput.To, r.Bare.To) }},
		{"throughput from the peer", func(a Aggregate) string { return throughputText(a.Throughput.From, r.Bare.From) }},
	} {
		fmt.Fprint(t, row.name)
		for _, a := range r.Aggregates {
			fmt.Fprint(t, "\t", row.text(a))
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nProbes ran at %d frames a second, so a failover that lost none was under 1 ms.\nThroughput is that of one TCP connection, the best of %d rounds; this machine's other work has its part in it.\nDone in %.0f s. Nothing is left behind.\n",
		rate, r.Bare.Rounds, r.Took.Seconds())
	return err
}

func worstText(f Failover) string {
	if f.Open > 0 {
		return fmt.Sprintf("%d of %d not over", f.Open, f.Pulls)
	}
	return spacing(f.Worst)
}

func lostText(f Failover) string { return fmt.Sprintf("%d of %d", f.Lost, f.Sent) }

func flowsText(a Aggregate) string {
	if a.Flows == nil {
		return notMeasured
	}
	return fmt.Sprintf("%d of %d; %d used the cable", a.Flows.Moved, a.Flows.Seen, a.Flows.OnPulled)
}

func killText(a Aggregate) string {
	if a.Kill != nil && !a.OutlivesDaemon {
		return "stops with the daemon"
	}
	return lossText(a.Kill)
}

func deadPullText(a Aggregate) string {
	switch {
	case a.DeadPull != nil:
		return lossText(a.DeadPull)
	case !a.OutlivesDaemon:
		return notMeasured + ": stops with the daemon"
	default:
		return notMeasured + ": this kernel has no egress guard"
	}
}

func lossText(l *Loss) string {
	switch {
	case l == nil:
		return notMeasured
	case l.Out.Lost+l.In.Lost == 0:
		return "no frame lost"
	case l.In == l.Out:
		return outageText(l.Out) + " each way"
	default:
		return "to it " + outageText(l.Out) + ", from it " + outageText(l.In)
	}
}

// outageText is the frames lost and the time until they got through again.
func outageText(o lab.Outage) string {
	switch {
	case o.Open:
		return fmt.Sprintf("%d lost, not over", o.Lost)
	case o.Lost == 0:
		return "none lost"
	default:
		return fmt.Sprintf("%d lost, %s", o.Lost, spacing(o.Failover))
	}
}

func throughputText(got, bare float64) string {
	if got == 0 || bare == 0 {
		return notMeasured
	}
	return fmt.Sprintf("%s, %.2f of bare", gigabits(got), got/bare)
}
