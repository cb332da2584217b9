package handover_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/handover"
	"github.com/yokelag/yoke/internal/nstest"
)

// picture is all that a holding is about, of one interface.
func picture(t *testing.T, n *nstest.NS, name string) string {
	t.Helper()
	var b strings.Builder
	for _, words := range [][]string{
		{"-o", "addr", "show", "dev", name}, {"route", "show", "table", "all", "dev", name},
		{"-6", "route", "show", "table", "all", "dev", name}, {"route", "show", "10.9.0.0/16"}, {"neigh", "show", "dev", name, "nud", "permanent"},
	} {
		b.WriteString(nstest.Command(t, n, "ip", words...))
	}
	text := regexp.MustCompile(`(valid_lft|preferred_lft|expires) (\d+)sec`).ReplaceAllString(b.String(), "$1 N")
	lines := strings.Split(regexp.MustCompile(`(?m)^\d+: `).ReplaceAllString(text, ""), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestThereAndBackExactly(t *testing.T) {
	nstest.Require(t, "root", "veth")
	n, far := nstest.New(t), nstest.New(t)
	n.Veth("eth1", far, "far1")
	n.Veth("bond0", far, "far2")
	n.Veth("other", far, "far3")
	for _, line := range []string{
		"addr add 192.0.2.1/24 dev eth1 label eth1:a", "addr add 192.0.2.7/24 dev eth1", "addr add 198.51.100.1/32 peer 198.51.100.9 dev eth1",
		"addr add 203.0.113.5/25 dev eth1 noprefixroute valid_lft 3000 preferred_lft 2000",
		"-6 addr add 2001:db8::1/64 dev eth1 nodad", "-6 addr add 2001:db8::2/64 dev eth1 nodad preferred_lft 1000 valid_lft 2000",
		"route add default via 192.0.2.254 metric 50", "route add 10.1.0.0/16 via 10.2.0.1 dev eth1 onlink mtu 1400",
		"route add 10.5.0.0/16 dev eth1 scope link src 192.0.2.7 table 77",
		"-6 route add default via 2001:db8::fe pref high", "-6 route add 2001:db8:9::/48 via fe80::9 dev eth1 table 88",
		"addr add 10.8.0.1/24 dev other", "route add 10.9.0.0/16 nexthop via 192.0.2.250 dev eth1 nexthop via 10.8.0.9 dev other",
		"neigh add 192.0.2.250 lladdr 02:00:00:00:00:99 dev eth1 nud permanent",
	} {
		nstest.Command(t, n, "ip", strings.Fields(line)...)
	}
	nstest.Eventually(t, 20*time.Second, func() bool {
		text := nstest.Command(t, n, "ip", "-6", "-o", "addr")
		return strings.Count(text, " fe80::") == 3 && !strings.Contains(text, "tentative")
	}, "the kernel to be done with new interfaces")
	before, empty := picture(t, n, "eth1"), picture(t, n, "bond0")
	var h handover.Holding
	n.Do(func() {
		read, err := handover.Read("eth1")
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(read)
		if err != nil || json.Unmarshal(text, &h) != nil {
			t.Fatal(err)
		}
		for _, err := range []error{h.Remove(), h.Give("bond0")} {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	moved := picture(t, n, "bond0")
	for _, part := range []string{"192.0.2.1/24", "bond0:a", "2001:db8::1/64", "default via 192.0.2.254 metric 50", "10.1.0.0/16 via 10.2.0.1 onlink mtu 1400",
		"table 77", "default via 2001:db8::fe", "pref high", "table 88", "nexthop via 192.0.2.250 dev bond0", "nexthop via 10.8.0.9 dev other", "02:00:00:00:00:99"} {
		if !strings.Contains(moved, part) {
			t.Errorf("bond0 lacks %q:\n%s", part, moved)
		}
	}
	n.Do(func() {
		back, err := handover.Read("bond0")
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{back.Remove(), h.Give("eth1"), h.Give("eth1")} {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	// The kernel makes the local routes of IPv6 addresses in its own time.
	nstest.Eventually(t, 10*time.Second, func() bool { return picture(t, n, "eth1") == before }, "eth1 to be as it was, which is\n%s", before)
	if left := picture(t, n, "bond0"); strings.Contains(left, "192.0.2.1") || strings.Contains(left, "2001:db8") {
		t.Errorf("bond0 was\n%s\nand is\n%s", empty, left)
	}
}
