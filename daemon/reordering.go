package daemon

import (
	"fmt"
	"slices"

	"github.com/yokelag/yoke/agg"
)

// usualReordering is how much another order TCP bears before it believes in a loss, where
// nobody has set it; muchReordering is what the bonding driver's guide advises.
const (
	usualReordering = 3
	muchReordering  = 127
)

// adviseReordering completes the finding that a mode reorders frames: with how many
// segments TCP bears where the aggregate's device is, and what to do about it.
func adviseReordering(w world, a agg.Status) []agg.Finding {
	findings := slices.Clone(a.Findings)
	i := slices.IndexFunc(findings, func(f agg.Finding) bool { return f.Code == "reorder" })
	if i < 0 {
		return findings
	}
	n, err := w.TCPReordering(a.Name)
	if err != nil || n == 0 {
		return findings
	}
	f := &findings[i]
	if n > usualReordering {
		f.Text += fmt.Sprintf("; net.ipv4.tcp_reordering is %d here", n)
		return findings
	}
	f.Severity = "warning"
	f.Text += fmt.Sprintf("; net.ipv4.tcp_reordering is %d here, the kernel's default", n)
	f.Remedy = fmt.Sprintf("sysctl -w net.ipv4.tcp_reordering=%d", muchReordering)
	if a.Device.Elsewhere {
		f.Remedy += " in the network namespace of " + a.Name
	}
	return findings
}
