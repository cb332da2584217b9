package lacpkernel

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
)

// What we said to bonding and it to us is read by somebody else's program, from our own
// capture: every frame is a LACPDU of 110 octets, and at last both ends distribute.
func TestOthersReadOurLACPDUs(t *testing.T) {
	t.Parallel()
	nstest.Require(t, "program:tcpdump")
	r, _ := joined(t, fast("ebpf"), "bonding")
	file := filepath.Join(r.Dir, "lacp.pcapng")
	r.Must("capture", "bond0", "-w", file)
	text := nstest.Command(t, r.Here, "tcpdump", "-nvvr", file)
	pdus, last := 0, ""
	for line := range strings.Lines(text) {
		switch {
		case strings.Contains(line, "LACPv1, length 110"):
			pdus++
		case strings.Contains(line, "State Flags"):
			last = line
		}
	}
	if pdus < 4 || !strings.Contains(last, "Distributing") || strings.Contains(text, "invalid") || strings.Contains(text, "[|") {
		t.Errorf("tcpdump reads %d LACPDUs:\n%s", pdus, text)
	}
}
