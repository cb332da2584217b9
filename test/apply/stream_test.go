package apply

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// watch runs `ip monitor link`, and returns what it says of the host when it hears.
func watch(t *testing.T, n *nstest.NS) *rig.Journal {
	t.Helper()
	m := &rig.Journal{}
	cmd := exec.Command("ip", "-o", "monitor", "link")
	cmd.Stdout = m
	n.Start(cmd)
	nstest.Eventually(t, 10*time.Second, func() bool {
		nstest.Command(t, n, "ip", "link", "set", "lo", "down")
		nstest.Command(t, n, "ip", "link", "set", "lo", "up")
		return strings.Contains(m.String(), "lo")
	}, "ip monitor to hear")
	return m
}

// Files are applied under 10,000 frames a second each way, one change after the other: no
// frame is lost either way, and nobody sees the carrier of the aggregate change.
func TestApplyUnderAStream(t *testing.T) {
	for _, c := range []struct {
		mode  string
		steps []string
	}{
		{"balance-xor", []string{
			"xmit_hash_policy: layer2\nports: [eth1, eth2]",
			"xmit_hash_policy: layer2\nmiimon: 50\nports: [eth1, eth2]",
			"xmit_hash_policy: layer3+4\nmiimon: 50\nports: [eth1, eth2, eth3]",
			"ports: [eth2, {name: eth3, weight: 3}]",
		}},
		{"active-backup", []string{
			"primary: eth2\nports: [eth1, eth2]",
			"primary: eth1\nmiimon: 20\nports: [eth1, eth2]",
			"primary: eth3\nports: [eth1, eth2, eth3]",
			"ports: [eth1, eth2]",
		}},
	} {
		t.Run(c.mode, func(t *testing.T) {
			r := rig.New(t, "bpf")
			r.Here.Veth("eth3", r.There, "far3")
			nstest.Command(t, r.There, "ip", "link", "set", "far3", "master", "br0")
			r.Start()
			r.Up("br0", "plane=ebpf", "mode="+c.mode, "eth1", "eth2")
			r.WaitFor(func(s agg.Status) bool { return len(s.Plan.Order) == 2 && s.Plan.InForce }, "two ports")
			heard := watch(t, r.Here)
			begin := len(heard.String())
			out := nstest.StartUDP(t, r.Here, r.There, rig.HereAddr, rig.ThereAddr, 100*time.Microsecond)
			in := nstest.StartUDP(t, r.There, r.Here, rig.ThereAddr, rig.HereAddr, 100*time.Microsecond)
			for i, step := range c.steps {
				file := filepath.Join(r.Dir, fmt.Sprintf("step%d.yaml", i))
				text := "name: bond0\nplane: ebpf\nmode: " + c.mode + "\n" + step + "\n"
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				said := r.Must("apply", file)
				if strings.Contains(said, "blip") || strings.Contains(said, "rebuild") || !strings.Contains(said, "applied") {
					t.Errorf("step %d: apply says\n%s", i, said)
				}
				if said := r.Must("diff", file); !strings.Contains(said, "nothing differs") {
					t.Errorf("after step %d: %s", i, said)
				}
				sent := out.Sent() + 500
				nstest.Eventually(t, 10*time.Second, func() bool { return out.Sent() > sent }, "500 frames more")
			}
			rig.Lossless(t, "from the host", out.Stop())
			rig.Lossless(t, "to the host", in.Stop())
			for line := range strings.Lines(heard.String()[begin:]) {
				if strings.Contains(line, " bond0") && (!strings.Contains(line, "LOWER_UP") || strings.Contains(line, "NO-CARRIER")) {
					t.Errorf("the carrier changed: %s", line)
				}
			}
			r.Must("down", "bond0")
		})
	}
}
