package apply

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// belongings are what bond0 has, without its number and what changes by itself, and that
// number. Both are empty where it is not there.
func belongings(t *testing.T, n *nstest.NS) (has, number string) {
	t.Helper()
	for line := range strings.Lines(picture(t, n)) {
		if m := regexp.MustCompile(`^(\d+): bond0[:@]`).FindStringSubmatch(line); m != nil {
			number = m[1]
			has += regexp.MustCompile(`link/ether \S+`).FindString(line) + "\n"
		}
		if m := regexp.MustCompile(`^\d+: bond0 +inet.*`).FindString(line); m != "" {
			has += m[strings.Index(m, "inet"):] + "\n"
		} else if strings.Contains(line, " dev bond0 ") {
			has += line
		}
	}
	lines := strings.SplitAfter(has, "\n")
	slices.Sort(lines)
	return strings.Join(lines, ""), number
}

// goesAndComesBack removes bond0, whose file is the only one, and has it come back each
// time with what it had: by a command, by itself, and since what was to come failed.
func goesAndComesBack(t *testing.T, r *rig.Rig, conf string, portsHaveAddresses bool) {
	t.Helper()
	before, number := "", ""
	nstest.Eventually(t, 20*time.Second, func() bool {
		before, number = belongings(t, r.Here)
		return !strings.Contains(before, "tentative")
	}, "the kernel to be done with bond0")
	for _, has := range []string{"link/ether " + r.Here.MAC("bond0").String(), "inet 192.0.2.1/24", "default via 192.0.2.2 dev bond0 metric 100"} {
		if !strings.Contains(before, has) {
			t.Fatalf("bond0 lacks %s; it has\n%s", has, before)
		}
	}
	back := func(how string) {
		t.Helper()
		has, now := "", number
		nstest.Eventually(t, 30*time.Second, func() bool {
			has, now = belongings(t, r.Here)
			return has == before && now != number
		}, "bond0, which was number %s, to be back %s; it had\n%s\nlog:\n%s\nnumber and belongings now: %v\n%v", number, how, before, r.Log, later{&now}, later{&has})
		number = now
		r.Here.MustPing("192.0.2.2")
	}
	if err := os.Remove(filepath.Join(conf, "bond0.yaml")); err != nil {
		t.Fatal(err)
	}
	r.Must("apply", "--prune", "--confirm", "1h")
	if has, now := belongings(t, r.Here); now != "" {
		t.Errorf("bond0 is still there with\n%s", has)
	}
	r.Must("confirm", "--undo")
	back("by a command")
	r.Must("apply", "--prune", "--confirm", "2s")
	back("because nobody confirmed")
	if !portsHaveAddresses {
		return
	}
	other := filepath.Join(conf, "bond1.yaml")
	if err := os.WriteFile(other, []byte("name: bond1\nplane: user\nports: [eth1]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := r.Yoke("apply", "--prune"); err == nil || !strings.Contains(out, "eth1") {
		t.Errorf("bond1 was made of a port with addresses: %v\n%s", err, out)
	}
	back("since bond1 was refused")
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
}

// An aggregate that was removed and comes back has its addresses, routes and Ethernet
// address, and is again of its file.
func TestARemovedAggregateComesBackWithItsAddresses(t *testing.T) {
	t.Run("its own", func(t *testing.T) {
		r := rig.New(t)
		conf := t.TempDir()
		if err := os.WriteFile(filepath.Join(conf, "bond0.yaml"), []byte("plane: user\nports: [eth2, eth1]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		r.There.AddAddr("br0", "192.0.2.2/24")
		r.Start("--config", conf)
		r.Here.AddAddr("bond0", "192.0.2.1/24")
		nstest.Command(t, r.Here, "ip", strings.Fields("route add default via 192.0.2.2 dev bond0 metric 100")...)
		r.Here.MustPing("192.0.2.2")
		goesAndComesBack(t, r, conf, false)
	})
	t.Run("taken over", func(t *testing.T) {
		r := onlyLink(t)
		before := picture(t, r.Here)
		conf := t.TempDir()
		r.Start("--config", conf)
		r.Must("up", "bond0", "plane=user", "eth2", "eth1", "--take-over")
		r.Must("save", "bond0")
		r.Here.AddAddr("bond0", "203.0.113.1/24") // not of a port
		r.Here.MustPing("192.0.2.2")
		goesAndComesBack(t, r, conf, true)
		r.Must("down", "bond0")
		after := ""
		nstest.Eventually(t, 20*time.Second, func() bool { after = picture(t, r.Here); return after == before },
			"the ports to have all back; was\n%s\nis\n%v\nlog:\n%s", before, later{&after}, r.Log)
	})
}
