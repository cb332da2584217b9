package move

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

// interval is the time between datagrams of a stream, some how many must have arrived
// before the next thing happens.
const (
	interval = time.Millisecond
	some     = 200
)

// needs are the features of a plane.
func needs(plane string) []string {
	switch plane {
	case "ebpf":
		return []string{"bpf", "bpffs"}
	case "team", "bonding":
		return []string{plane}
	default:
		return nil
	}
}

// To and fro between two planes, under a stream, in modes with one and with all ports: what
// the device has stays, and the gap is told.
func TestMove(t *testing.T) {
	for _, pair := range [][2]string{{"ebpf", "user"}, {"ebpf", "team"}, {"user", "team"}, {"ebpf", "bonding"}, {"bonding", "team"}} {
		for mode, carrying := range map[string]int{"active-backup": 1, "balance-xor": 2} {
			t.Run(pair[0]+"-"+pair[1]+"/"+mode, func(t *testing.T) {
				r := rig.New(t, append(needs(pair[0]), needs(pair[1])...)...)
				free := ports(r)
				r.Start()
				r.Up("br0", "plane="+pair[0], "mode="+mode, "eth1", "eth2")
				r.WaitCarrying(carrying)
				furnish(r, "bond0")
				before := picture(r, "bond0")
				for _, to := range []string{pair[1], pair[0]} {
					underTraffic(r, to, carrying, func() string { return r.Must("set", "bond0", "plane="+to) })
					same(t, "on plane "+to, before, func() string { return picture(r, "bond0") })
				}
				r.Must("down", "bond0")
				same(t, "ports after down", free, func() string { return ports(r) })
			})
		}
	}
}

// underTraffic moves bond0 in the middle of a stream, which goes on.
func underTraffic(r *rig.Rig, to string, carrying int, move func() string) {
	r.T.Helper()
	stream := nstest.StartUDP(r.T, r.Here, r.There, rig.HereAddr, rig.ThereAddr, interval)
	stream.WaitReceived(some)
	out := move()
	r.WaitFor(func(s agg.Status) bool { return s.Plane == to && s.Plan.InForce && s.Carrying == carrying }, "the ports to carry on plane "+to)
	stream.WaitReceived(some)
	got := stream.Stop()
	r.T.Logf("%s of %d datagrams %d lost, longest gap %v", strings.TrimSpace(out), got.Sent, got.Lost, got.LongestGap)
	if !strings.Contains(out, "to "+to+"; no frame could pass for ") {
		r.T.Errorf("the gap is not told:\n%s", out)
	}
	if events := r.Must("events", "bond0"); !strings.Contains(events, "moved") {
		r.T.Errorf("no event tells of the move:\n%s", events)
	}
	r.Here.MustPing(rig.ThereAddr)
}

// furnish gives a device what a move must keep.
func furnish(r *rig.Rig, device string) {
	r.T.Helper()
	for _, line := range []string{
		"ip addr add 198.51.100.7/25 dev DEV label DEV:a",
		"ip route add 203.0.113.0/24 via 192.0.2.254 dev DEV metric 7",
		"ip route add 203.0.113.0/24 via 192.0.2.254 dev DEV table 77",
		"ip neigh replace 192.0.2.254 lladdr 02:00:00:00:00:99 dev DEV nud permanent",
		"tc qdisc replace dev DEV root handle 7: tbf rate 900mbit burst 256k latency 400ms",
		"ip link set DEV alias uplink",
		"ip link set DEV txqueuelen 777",
		"sysctl -q -w net/ipv4/conf/DEV/rp_filter=2",
	} {
		words := strings.Fields(strings.ReplaceAll(line, "DEV", device))
		nstest.Command(r.T, r.Here, words[0], words[1:]...)
	}
}

// picture is what a device is and has, as far as every plane can have it.
func picture(r *rig.Rig, device string) string {
	r.T.Helper()
	var b strings.Builder
	l := r.Here.Link(device).Attrs()
	fmt.Fprintf(&b, "%s: %d, %s, MTU %d, %v, alias %q, queue %d\n", device, l.Index, l.HardwareAddr, l.MTU, l.Flags, l.Alias, l.TxQLen)
	for _, line := range []string{
		"ip -o addr show dev DEV", "ip route show table all dev DEV", "ip neigh show dev DEV nud permanent",
		"tc qdisc show dev DEV root", "sysctl net/ipv4/conf/DEV/rp_filter",
	} {
		words := strings.Fields(strings.ReplaceAll(line, "DEV", device))
		lines := strings.SplitAfter(nstest.Command(r.T, r.Here, words[0], words[1:]...), "\n")
		slices.Sort(lines) // the kernel's order of neighbours is one of chance
		b.WriteString("# " + line + "\n" + strings.Join(lines, ""))
	}
	return regexp.MustCompile(`refcnt \d+ `).ReplaceAllString(b.String(), "")
}

// ports describes the ports, without their counters.
func ports(r *rig.Rig) (text string) {
	r.T.Helper()
	for _, port := range []string{"eth1", "eth2"} {
		text += nstest.Command(r.T, r.Here, "ip", "-d", "link", "show", "dev", port) + nstest.Command(r.T, r.Here, "ip", "addr", "show", "dev", port)
	}
	return text
}

// same waits until something is as it was.
func same(t *testing.T, what, before string, now func() string) {
	t.Helper()
	is := ""
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if is = now(); is == before {
			return
		}
	}
	t.Errorf("%s:\n%s\nbefore:\n%s", what, is, before)
}

// A plane that cannot do what is asked of it is refused, before or after it was tried; the
// old one forwards on.
func TestMoveRefused(t *testing.T) {
	r := rig.New(t, "bpf", "bpffs")
	r.Start()
	r.Up("br0", "plane=ebpf", "mode=active-backup", "eth1,queue_id=3", "eth2")
	r.WaitCarrying(1)
	furnish(r, "bond0")
	before := picture(r, "bond0")
	for _, to := range []string{"user", "mem"} { // user has no queue_id, mem no frames
		out, err := r.Yoke("set", "bond0", "plane="+to)
		if err == nil || !strings.Contains(out, "bond0") {
			t.Errorf("plane=%s: %v\n%s", to, err, out)
		}
		t.Logf("%s", out)
		r.WaitFor(func(s agg.Status) bool { return s.Plane == "ebpf" && s.Plan.InForce && s.Carrying == 1 }, "plane ebpf to carry")
		if o := r.Must("get", "bond0", "plane"); !strings.Contains(o, "ebpf") {
			t.Errorf("the option is %s", o)
		}
		same(t, "refused "+to, before, func() string { return picture(r, "bond0") })
		r.Here.MustPing(rig.ThereAddr)
	}
}

// A file that names another plane moves the aggregate, which its difference says before; a
// daemon that is killed afterwards adopts by the new plane.
func TestMoveByApply(t *testing.T) {
	r := rig.New(t, "bpf", "bpffs")
	file := filepath.Join(t.TempDir(), "bond0.yaml")
	write := func(plane string) {
		text := "aggregates:\n  bond0:\n    plane: " + plane + "\n    mode: balance-xor\n    ports: [eth1, eth2]\n"
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r.Start()
	r.Up("br0", "plane=ebpf", "mode=balance-xor", "eth1", "eth2")
	r.WaitCarrying(2)
	write("user")
	out, _ := r.Yoke("diff", file) // its exit code says that something differs
	if !strings.Contains(out, "plane: ebpf -> user") || !strings.Contains(out, "blip") {
		t.Errorf("the difference is\n%s", out)
	}
	underTraffic(r, "user", 2, func() string { return r.Must("apply", file) })
	write("ebpf")
	underTraffic(r, "ebpf", 2, func() string { return r.Must("apply", file) })
	r.Kill()
	r.Here.MustPing(rig.ThereAddr)
	r.Start()
	r.WaitFor(func(s agg.Status) bool { return s.Plane == "ebpf" && s.Plan.InForce && s.Carrying == 2 }, "plane ebpf to be adopted")
}

// What stands on the device is there afterwards with its number and all that it had: a VLAN
// with addresses and routes, and the membership of a bridge that knows VLANs.
func TestMoveKeepsWhatStandsOnIt(t *testing.T) {
	r := rig.New(t, "bpf", "bpffs", "team", "bonding", "vlan")
	r.Start()
	r.Must("up", "bond0", "plane=ebpf", "mode=active-backup", "eth1", "eth2")
	r.WaitCarrying(1)
	for _, line := range []string{
		"ip link set bond0 up",
		"ip link add br9 type bridge vlan_filtering 1",
		"ip link set br9 up",
		"ip link set bond0 master br9",
		"bridge link set dev bond0 cost 77 priority 9",
		"bridge vlan add dev bond0 vid 12 pvid untagged",
		"bridge vlan add dev bond0 vid 13",
		"ip link add link bond0 name bond0.100 type vlan id 100 egress-qos-map 1:5",
		"ip link set bond0.100 up",
		"ip addr add 192.0.2.1/24 dev bond0.100",
	} {
		words := strings.Fields(line)
		nstest.Command(t, r.Here, words[0], words[1:]...)
	}
	furnish(r, "bond0.100")
	all := func() string {
		text := picture(r, "bond0.100") + nstest.Command(t, r.Here, "bridge", "vlan", "show", "dev", "bond0")
		detail := nstest.Command(t, r.Here, "ip", "-d", "link", "show", "dev", "bond0.100")
		text += regexp.MustCompile(`tso_max_size \d+`).ReplaceAllString(detail, "") // of the driver below
		for _, word := range []string{"cost 77", "priority 9"} {
			if !strings.Contains(nstest.Command(t, r.Here, "ip", "-d", "link", "show", "dev", "bond0"), word) {
				text += "the port of the bridge has not " + word + "\n"
			}
		}
		return text
	}
	before := all()
	for _, to := range []string{"team", "bonding", "user"} {
		t.Logf("%s", r.Must("set", "bond0", "plane="+to))
		same(t, "on plane "+to, before, all)
	}
	nstest.Command(t, r.Here, "ip", "link", "add", "link", "bond0.100", "name", "mv1", "type", "macvlan", "mode", "bridge")
	for _, to := range []string{"team", "bonding"} {
		out, err := r.Yoke("set", "bond0", "plane="+to)
		if err == nil || !strings.Contains(out, "mv1, a macvlan on bond0.100") {
			t.Errorf("%v\n%s", err, out)
		}
		t.Logf("%s", out)
	}
	same(t, "after a refusal", before, all)
}

// A move to the bonding driver is taken back whole where that refuses an option of a port
// when it has the ports already, given with the move or before; what it cannot do at all is
// refused before anything changes.
func TestMoveTakenBack(t *testing.T) {
	r := rig.New(t, "bpf", "bpffs", "bonding")
	r.Start()
	r.Up("br0", "plane=ebpf", "mode=active-backup", "eth1", "eth2")
	r.WaitCarrying(1)
	furnish(r, "bond0")
	before := picture(r, "bond0")
	refused := func(why string, words ...string) {
		t.Helper()
		out, err := r.Yoke(append([]string{"set", "bond0", "plane=bonding"}, words...)...)
		if err == nil || !strings.Contains(out, why) {
			t.Errorf("%v: %v\n%s", words, err, out)
		}
		t.Logf("%s", out)
		r.WaitFor(func(s agg.Status) bool { return s.Plane == "ebpf" && s.Plan.InForce && s.Carrying == 1 }, "plane ebpf to carry")
		same(t, "taken back", before, func() string { return picture(r, "bond0") })
		r.Here.MustPing(rig.ThereAddr)
	}
	refused("the bonding driver has nothing like it", "fast_path=on")
	refused("queue_id=64", "eth2,queue_id=64") // the driver has 16 queues
	r.Must("set", "bond0", "eth2,queue_id=64")
	refused("queue_id=64")
}
