package lab

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// WriteText prints the result as tables for people.
func (r *Result) WriteText(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "\nPROBE\tFROM\tTO\tSENT\tLOST\tDUPLICATED\tOUT OF ORDER\tLONGEST GAP")
	for _, s := range r.Streams {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\n", s.Name, s.From, s.To,
			s.Sent, s.Lost, s.Duplicates, s.Reordered, milliseconds(s.LongestGap))
	}
	if len(r.Faults) > 0 {
		fmt.Fprintln(t, "\nFAULT\tPROBE\tLOST\tFAILOVER\t\t\t\t")
	}
	for i, f := range r.Faults {
		for _, s := range r.Streams {
			fmt.Fprintf(t, "%s\t%s\t%d\t%s\t\t\t\t\n", f.Text, s.Name, s.Outages[i].Lost, s.Outages[i].text(s.Rate))
		}
	}
	fmt.Fprintln(t, "\nPORT\tSENT\tRECEIVED\t\t\t\t\t")
	for _, p := range r.Ports {
		fmt.Fprintf(t, "%s\t%d\t%d\t\t\t\t\t\n", p.Port, p.Tx, p.Rx)
	}
	if len(r.Checks) > 0 {
		fmt.Fprintln(t, "\nEXPECTED\tGOT\t\t\t\t\t\t")
	}
	for _, c := range r.Checks {
		verdict := "ok"
		if !c.OK {
			verdict = "FAILED"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t\t\t\t\t\n", c.Text, c.Got, verdict)
	}
	return t.Flush()
}

// text is an outage for people: what a stream of that rate can tell.
func (o Outage) text(rate int) string {
	switch {
	case o.Open:
		return "not over"
	case o.Failover == 0:
		return "none seen, under " + milliseconds(time.Second/time.Duration(rate))
	default:
		return milliseconds(o.Failover)
	}
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/1e6)
}
