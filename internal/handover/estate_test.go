package handover_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/handover"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/plane/device"
)

// whole is all that an estate is about.
func whole(t *testing.T, n *nstest.NS, name string) string {
	t.Helper()
	l := n.Link(name).Attrs()
	text := fmt.Sprintf("%d %s %d %v %q %d\n", l.Index, l.HardwareAddr, l.MTU, l.Flags, l.Alias, l.TxQLen)
	for _, line := range []string{
		"ip -o addr show dev DEV", "ip route show table all dev DEV", "ip -6 route show table all dev DEV", "ip neigh show dev DEV",
		"tc qdisc show dev DEV root", "sysctl net.ipv4.conf.DEV.rp_filter net.ipv6.conf.DEV.accept_ra",
	} {
		words := strings.Fields(strings.ReplaceAll(line, "DEV", name))
		text += nstest.Command(t, n, words[0], words[1:]...)
	}
	detail := nstest.Command(t, n, "ip", "-d", "link", "show", "dev", name)
	text += strings.Join(regexp.MustCompile(`(cost|priority|learning|flood|hairpin) \w+`).FindAllString(detail, -1), ", ")
	lines := strings.Split(regexp.MustCompile(`refcnt \d+ | nodad`).ReplaceAllString(text, ""), "\n")
	slices.Sort(lines) // the kernel keeps no order of neighbours
	return strings.Join(lines, "\n")
}

// An interface is deleted, and another one of its name and number has all that it had.
func TestEstate(t *testing.T) {
	nstest.Require(t, "root", "veth", "bridge", "program:sysctl", "program:tc")
	for _, master := range []bool{false, true} {
		t.Run(fmt.Sprintf("bridge=%v", master), func(t *testing.T) {
			n := nstest.New(t)
			n.Veth("bond0", n, "yk-bond0")
			lines := []string{
				"ip addr add 192.0.2.1/24 dev bond0 label bond0:a", "ip addr add 198.51.100.1/32 peer 198.51.100.9 dev bond0",
				"ip -6 addr add 2001:db8::1/64 dev bond0 nodad",
				"ip route add 203.0.113.0/24 via 192.0.2.254 dev bond0 metric 7", "ip route add 203.0.113.0/24 via 192.0.2.254 dev bond0 table 77",
				"ip -6 route add 2001:db8:9::/48 via 2001:db8::9 dev bond0", "ip neigh replace 192.0.2.254 lladdr 02:00:00:00:00:99 dev bond0 nud permanent",
				"ip neigh replace 192.0.2.253 lladdr 02:00:00:00:00:98 dev bond0 nud stale",
				"tc qdisc replace dev bond0 root handle 7: tbf rate 900mbit burst 256k latency 400ms",
				"ip link set bond0 alias uplink", "ip link set bond0 txqueuelen 777", "ip link set bond0 mtu 1400",
				"sysctl -q -w net.ipv4.conf.bond0.rp_filter=2", "sysctl -q -w net.ipv6.conf.bond0.accept_ra=0",
			}
			if master {
				lines = append([]string{
					"ip link add br9 type bridge", "ip link set br9 up", "ip link set bond0 master br9",
					"bridge link set dev bond0 cost 77 priority 9 hairpin on",
				}, lines...)
			}
			for _, line := range lines {
				words := strings.Fields(line)
				nstest.Command(t, n, words[0], words[1:]...)
			}
			nstest.Eventually(t, 10*time.Second, func() bool {
				return strings.Contains(nstest.Command(t, n, "ip", "-6", "-o", "addr", "show", "dev", "bond0", "-tentative"), "fe80:")
			}, "the link-local address")
			before := whole(t, n, "bond0")
			n.Do(func() {
				e, lost, err := handover.ReadEstate("bond0")
				if err != nil || len(lost) != 0 {
					t.Fatalf("%v, lost %q", err, lost)
				}
				err = errors.Join(iface.Delete(e.Index), e.Make("veth", device.PeerData("bond0")), e.Take(), e.Take())
				if err != nil {
					t.Fatal(err)
				}
			})
			n.SetUp("yk-bond0")
			after := ""
			for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
				if after = whole(t, n, "bond0"); after == before {
					return
				}
			}
			t.Errorf("it is\n%s\nand was\n%s", after, before)
		})
	}
}

// What cannot be given to another interface is named.
func TestEstateNamesWhatWouldBeLost(t *testing.T) {
	nstest.Require(t, "root", "veth", "macvlan")
	n := nstest.New(t)
	n.Veth("bond0", n, "yk-bond0")
	for line, want := range map[string]string{
		"ip link add link bond0 name mv1 type macvlan mode bridge": "mv1, a macvlan on bond0",
		"ip link property add dev bond0 altname uplink0":           "the other names of bond0",
		"tc qdisc add dev bond0 root handle 1: htb":                "the classes of the qdisc htb",
		"ip addr add 192.0.2.1/24 dev bond0":                       "",
		"ip route add 10.0.0.0/8 dev bond0":                        "",
	} {
		words := strings.Fields(line)
		nstest.Command(t, n, words[0], words[1:]...)
		n.Do(func() {
			_, lost, err := handover.ReadEstate("bond0")
			if err != nil || !strings.Contains(strings.Join(lost, "; "), want) {
				t.Errorf("%s: %v, lost %q", line, err, lost)
			}
		})
	}
}
