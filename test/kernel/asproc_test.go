package kernel

import (
	"strings"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// asProc compares what `yoke status --as-proc` says of a bond with what its driver says,
// to the letter but for the program's name. Both are looked at until they agree, because
// LACP may move between the two looks.
func asProc(r *rig.Rig) {
	r.T.Helper()
	var kernels, ours string
	for range 20 {
		kernels = nstest.Command(r.T, r.Here, "cat", "/proc/net/bonding/bond0")
		ours = r.Must("status", "bond0", "--as-proc")
		if withoutName(ours) == withoutName(kernels) {
			return
		}
	}
	r.T.Errorf("yoke status --as-proc:\n%s\nthe driver:\n%s", ours, kernels)
}

// withoutName is the text without the line of the program's name. Under probes that nobody
// answers the ports come and go with every period, so then it is the settings alone.
func withoutName(text string) string {
	_, text, _ = strings.Cut(text, "\n")
	if !strings.Contains(text, "ARP Polling Interval") {
		return text
	}
	settings, _, _ := strings.Cut(text, "\n\nSlave Interface")
	var out strings.Builder
	for line := range strings.Lines(settings) {
		if !strings.HasPrefix(line, "MII Status") && !strings.HasPrefix(line, "Currently Active Slave") {
			out.WriteString(line)
		}
	}
	return out.String()
}
