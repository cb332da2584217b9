package apply

import (
	"strings"
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// A route by a nexthop object, as FRR makes them, cannot be moved: the dry run says so as
// well, and nothing is changed.
func TestTakeOverRefusesNexthopObjects(t *testing.T) {
	r := rig.NewHost(t)
	r.Here.Veth("eth1", r.There, "far1")
	r.Here.AddAddr("eth1", "192.0.2.1/24")
	for _, words := range []string{"nexthop add id 7 via 192.0.2.2 dev eth1", "route add 198.51.100.0/24 nhid 7"} {
		nstest.Command(t, r.Here, "ip", strings.Fields(words)...)
	}
	r.Start()
	before := nstest.Command(t, r.Here, "ip", "route")
	for _, more := range [][]string{{"--dry-run"}, nil} {
		out, err := r.Yoke(append([]string{"up", "bond0", "plane=user", "eth1", "--take-over"}, more...)...)
		if err == nil || !strings.Contains(out, "198.51.100.0/24 uses a nexthop object") || !strings.Contains(out, "ip route replace") {
			t.Errorf("%v: %v: %s", more, err, out)
		}
	}
	if after := nstest.Command(t, r.Here, "ip", "route"); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}
