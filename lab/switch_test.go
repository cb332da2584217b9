package lab

import (
	"os"
	"strings"
	"testing"
)

// A switch whose programs are not there is refused by name, before anything is made.
func TestOpenVSwitchThatIsNotInstalled(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := newOVS(t.Context(), "s1", t.TempDir(), Switch{Kind: kindOVS})
	if err == nil || !strings.Contains(err.Error(), "needs the program ovsdb-tool") || !strings.Contains(err.Error(), "apt-get install openvswitch-switch") {
		t.Errorf("got %v", err)
	}
}

// The example of the documentation is a lab.
func TestDocumentedLabParses(t *testing.T) {
	text, err := os.ReadFile("../docs/lab.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "```yaml\n")
	example, _, _ := strings.Cut(after, "```")
	if _, err := Parse("docs/lab.md", []byte(example)); err != nil {
		t.Error(err)
	}
}

// A group spreads flows evenly, and one that loses a member leaves the others where they are.
func TestFlowsOfAGroup(t *testing.T) {
	for _, ports := range []uint32{2, 3, 8} {
		count := map[uint32]int{}
		for flow := range uint32(4096) {
			best := func(without uint32) (port uint32) {
				for p := uint32(1); p <= ports; p++ {
					if p != without && (port == 0 || mixed(flow*2654435761, p) > mixed(flow*2654435761, port)) {
						port = p
					}
				}
				return port
			}
			all := best(0)
			count[all]++
			if gone := all%ports + 1; best(gone) != all {
				t.Fatalf("flow %d has moved from port %d to %d when port %d went", flow, all, best(gone), gone)
			}
		}
		for port, n := range count {
			if fair := 4096 / int(ports); n < fair*8/10 || n > fair*12/10 {
				t.Errorf("%d ports: port %d has %d of 4096 flows", ports, port, n)
			}
		}
	}
}
