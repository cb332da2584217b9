package rules

import (
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// Ports by what they are: what appears is taken, what goes is forgotten, what cannot be
// taken is said and is taken once it can, and each is as it was afterwards.
func TestPortsByMatch(t *testing.T) {
	r := rig.New(t, "bpf", "tun")
	own := r.Here.MAC("eth1").String()
	r.Start()
	out, err := r.Yoke("up", "bond0", "match:permanent-mac=02:00:00:00:00:77")
	if err != nil || !strings.Contains(r.Must("status", "bond0"), "no interface fits permanent-mac=02:00:00:00:00:77 now") {
		t.Errorf("%v: %s", err, out)
	}
	r.Must("down", "bond0")
	r.Up("br0", "mode=balance-xor", "plane=ebpf", "match:permanent-mac="+own+",driver=veth", "match:driver=tu?")
	r.WaitCarrying(1)
	r.Here.Tap("tap0")
	nstest.Command(t, r.Here, "ip", "addr", "add", "192.0.2.77/32", "dev", "tap0")
	r.WaitFor(func(s agg.Status) bool { return strings.Contains(findings(s), "fits and is not taken: tap0") }, "tap0 to be refused")
	nstest.Command(t, r.Here, "ip", "addr", "del", "192.0.2.77/32", "dev", "tap0")
	waitPorts(r, "eth1", "tap0")
	r.Here.MustPing(rig.ThereAddr)
	r.Kill()
	r.Start()
	waitPorts(r, "eth1", "tap0")
	r.Here.Delete("tap0")
	waitPorts(r, "eth1")
	r.Must("down", "bond0")
	if got := r.Here.MAC("eth1").String(); got != own {
		t.Errorf("eth1 has %s, and had %s", got, own)
	}
}

func findings(s agg.Status) string {
	var texts []string
	for _, f := range s.Findings {
		texts = append(texts, f.Text)
	}
	return strings.Join(texts, "\n")
}
