package lacp

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// ovsSchema is where Debian and Ubuntu have it.
const ovsSchema = "/usr/share/openvswitch/vswitch.ovsschema"

// ovs is an Open vSwitch in the namespace there, with a database and a run directory of
// its own, and the ports of the rig in the bond "bond" of the bridge br0.
type ovs struct {
	r   *rig.Rig
	dir string
}

// withOVS is a host whose two ports lead to an Open vSwitch with the bond as the words
// say, and yoked on it.
func withOVS(t *testing.T, plane string, bond ...string) (*rig.Rig, *ovs) {
	t.Helper()
	nstest.Require(t, "root", "tun", "program:ovs-vswitchd", "program:ovsdb-server", "program:ovs-vsctl", "program:ovs-appctl")
	r, _ := hosts(t, plane, 2)
	v := &ovs{r: r, dir: t.TempDir()}
	for _, n := range []*nstest.NS{r.Here, r.There} {
		for _, port := range names(2) { // the userspace datapath does not finish checksums of others
			nstest.Command(t, n, "ethtool", "-K", port, "tx", "off")
		}
	}
	database := filepath.Join(v.dir, "conf.db")
	nstest.Command(t, r.There, "ovsdb-tool", "create", database, ovsSchema)
	v.start("ovsdb-server", database, "--remote=punix:"+v.socket())
	nstest.Eventually(t, 10*time.Second, v.answers, "the database")
	v.vsctl("--no-wait", "init")
	v.start("ovs-vswitchd", "unix:"+v.socket())
	v.vsctl("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev")
	v.vsctl(append([]string{"add-bond", "br0", "bond", "eth1", "eth2", "bond_mode=balance-tcp"}, bond...)...)
	nstest.Command(t, r.There, "ethtool", "-K", "br0", "tx", "off")
	r.There.SetUp("br0")
	r.Start()
	return r, v
}

func (v *ovs) socket() string { return filepath.Join(v.dir, "db.sock") }

// answers reports whether the database takes connections, which is after its socket is there.
func (v *ovs) answers() bool {
	c, err := net.Dial("unix", v.socket())
	if err != nil {
		return false
	}
	return c.Close() == nil
}

func (v *ovs) start(name string, args ...string) {
	v.r.T.Helper()
	cmd := exec.Command(name, append(args, "--log-file="+filepath.Join(v.dir, name+".log"), "-vconsole:off",
		"--unixctl="+filepath.Join(v.dir, name+".ctl"), "--pidfile="+filepath.Join(v.dir, name+".pid"))...)
	cmd.Env = append(os.Environ(), "OVS_RUNDIR="+v.dir, "OVS_LOGDIR="+v.dir)
	v.r.There.Start(cmd)
}

func (v *ovs) vsctl(args ...string) {
	v.r.T.Helper()
	nstest.Command(v.r.T, v.r.There, "ovs-vsctl", append([]string{"--db=unix:" + v.socket(), "--timeout=10"}, args...)...)
}

// show is what lacp/show says: the values of the bond under "", and of each port.
func (v *ovs) show() map[string]map[string]string {
	v.r.T.Helper()
	return parseShow(nstest.Command(v.r.T, v.r.There, "ovs-appctl", "--target="+filepath.Join(v.dir, "ovs-vswitchd.ctl"), "lacp/show", "bond"))
}

func parseShow(text string) map[string]map[string]string {
	out := map[string]map[string]string{"": {}}
	at := ""
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		if key == "member" || key == "slave" {
			var state string
			at, state, _ = strings.Cut(value, ": ")
			out[at] = map[string]string{"state": state}
			continue
		}
		out[at][key] = strings.TrimSpace(value)
	}
	return out
}

// bits are the words of Open vSwitch for the bits of a state octet, the lowest first.
func bits() []string {
	return []string{"activity", "timeout", "aggregation", "synchronized", "collecting", "distributing", "defaulted", "expired"}
}

// agree compares what both say of both ends of every port. others are the names of the
// ports there where they are not the same.
func agree(show map[string]map[string]string, s agg.Status, others map[string]string) error {
	for _, p := range s.Ports {
		there := show[p.Name]
		if other, ok := others[p.Name]; ok {
			there = show[other]
		}
		for end, ours := range map[string]agg.LACPEnd{"actor": p.LACP.Partner, "partner": p.LACP.Actor} {
			var state uint8
			for i, word := range bits() {
				for w := range strings.FieldsSeq(there[end+" state"]) {
					if w == word {
						state |= 1 << i
					}
				}
			}
			for what, both := range map[string][2]string{
				"sys_id":        {there[end+" sys_id"], ours.System.String()},
				"sys_priority":  {there[end+" sys_priority"], strconv.Itoa(int(ours.SystemPriority))},
				"port_id":       {there[end+" port_id"], strconv.Itoa(int(ours.Port))},
				"port_priority": {there[end+" port_priority"], strconv.Itoa(int(ours.PortPriority))},
				"key":           {there[end+" key"], strconv.Itoa(int(ours.Key))},
				"state":         {strconv.Itoa(int(state)), strconv.Itoa(int(ours.State))},
			} {
				if both[0] != both[1] {
					return fmt.Errorf("%s: its %s %s is %q there and %q here (there: %v)", p.Name, end, what, both[0], both[1], there)
				}
			}
		}
	}
	return nil
}

// waitAgreed waits until both ends say the same of each other.
func (v *ovs) waitAgreed() {
	v.r.T.Helper()
	var err error
	nstest.Eventually(v.r.T, 45*time.Second, func() bool { err = agree(v.show(), v.r.Status(), nil); return err == nil }, "both ends to say the same")
	if err != nil {
		v.r.T.Fatal(err)
	}
}

// up makes bond0 and gives both ends an address.
func (v *ovs) up(plane string, words ...string) {
	v.r.T.Helper()
	v.r.Must(append(append([]string{"up", "bond0", "plane=" + plane, "mode=802.3ad"}, words...), names(2)...)...)
	v.r.Here.AddAddr("bond0", rig.HereAddr+"/24")
	v.r.Here.SetUp("bond0")
	v.r.There.AddAddr("br0", rig.ThereAddr+"/24")
	// The kernel there would answer ARP also on the ports of the switch.
	nstest.Command(v.r.T, v.r.Here, "ip", "neigh", "replace", rig.ThereAddr, "lladdr", v.r.There.MAC("br0").String(), "dev", "bond0")
	nstest.Command(v.r.T, v.r.There, "ip", "neigh", "replace", rig.HereAddr, "lladdr", v.r.Here.MAC("bond0").String(), "dev", "br0")
}

// Who speaks first and how often does not matter, as long as one speaks: both ends carry
// on both ports and say the same of each other.
func TestOpenVSwitchAgrees(t *testing.T) {
	for _, c := range []struct{ name, plane, active, rate, lacp, time string }{
		{"active to active, slow", "ebpf", "on", "slow", "active", "slow"},
		{"active to passive, fast", "user", "on", "fast", "passive", "fast"},
		{"passive to active, we fast and it slow", "ebpf", "off", "fast", "active", "slow"},
		{"active to active, we slow and it fast", "ebpf", "on", "slow", "active", "fast"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, v := withOVS(t, c.plane, "lacp="+c.lacp, "other_config:lacp-time="+c.time)
			v.up(c.plane, "lacp_active="+c.active, "lacp_rate="+c.rate)
			began := time.Now()
			r.WaitCarrying(2)
			t.Logf("both ports carry %v after yoke up", time.Since(began).Round(time.Millisecond))
			r.Here.MustPing(rig.ThereAddr)
			v.waitAgreed()
		})
	}
}

// A link is cut and comes back, then goes deaf, and at last the partner is removed: the
// carrier goes, and status says why.
func TestOpenVSwitchFails(t *testing.T) {
	r, v := withOVS(t, "ebpf", "lacp=active", "other_config:lacp-time=fast")
	v.up("ebpf", "lacp_rate=fast")
	r.WaitCarrying(2)
	r.Here.MustPing(rig.ThereAddr)

	r.There.SetDown("eth1")
	s := r.WaitFor(func(s agg.Status) bool { return s.Carrying == 1 && s.Plan.InForce }, "the cut link to be left")
	if s.Ports[0].Carrying {
		t.Errorf("%s", s.Summary)
	}
	r.Here.MustPing(rig.ThereAddr)
	r.There.SetUp("eth1")
	began := time.Now()
	r.WaitCarrying(2)
	t.Logf("the link that came back carries after %v", time.Since(began).Round(time.Millisecond))
	v.waitAgreed()

	heal := deafen(t, r, "eth2")
	s = r.WaitFor(func(s agg.Status) bool { return s.Carrying == 1 && s.Plan.InForce }, "the deaf link to be left")
	if !s.Ports[0].Carrying || !strings.HasPrefix(s.Ports[1].Reason, "lacp-") {
		t.Errorf("%s", s.Summary)
	}
	nstest.Eventually(t, 10*time.Second, func() bool { return v.show()["eth2"]["may_enable"] == "false" }, "the partner to leave the deaf link too")
	r.Here.MustPing(rig.ThereAddr)
	heal()
	r.WaitCarrying(2)

	v.vsctl("del-port", "br0", "bond")
	s = r.WaitFor(func(s agg.Status) bool { return !s.Device.Carrier && s.Carrying == 0 }, "the carrier to go with the partner")
	if !strings.HasPrefix(s.Ports[0].Reason, "lacp-") || !strings.Contains(s.Ports[0].Text, "LACPDU") && !strings.Contains(s.Ports[0].Text, "heard") {
		t.Errorf("%s: %s", s.Ports[0].Reason, s.Ports[0].Text)
	}
	t.Logf("status says: %s", s.Summary)
}

// A killed daemon that is back within the partner's three seconds: it has seen nothing.
func TestOpenVSwitchSeesNoRestart(t *testing.T) {
	r, v := withOVS(t, "ebpf", "lacp=active", "other_config:lacp-time=fast")
	v.up("ebpf", "lacp_rate=fast")
	r.WaitCarrying(2)
	v.waitAgreed()
	before := ""
	nstest.Eventually(t, 20*time.Second, func() bool { // it says some things after it has agreed
		last := before
		time.Sleep(time.Second)
		before = v.log()
		return before == last
	}, "Open vSwitch to be done")
	r.Kill()
	r.Start()
	r.WaitCarrying(2)
	// For longer than the partner's timeout, while it goes on as if nothing had been.
	nstest.Eventually(t, 20*time.Second, func() bool {
		return r.Status().Ports[0].LACP.Counters["rx_lacpdu"] >= 5
	}, "the partner to speak five times")
	v.waitAgreed()
	if after := v.log(); after != before {
		t.Errorf("the partner noticed:\n%s", strings.TrimPrefix(after, before))
	}
}

// log is what Open vSwitch has logged of the bond and of LACP.
func (v *ovs) log() string {
	v.r.T.Helper()
	text, err := os.ReadFile(filepath.Join(v.dir, "ovs-vswitchd.log"))
	if err != nil {
		v.r.T.Fatal(err)
	}
	var out strings.Builder
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "|bond|") || strings.Contains(line, "|lacp|") {
			out.WriteString(line)
		}
	}
	return out.String()
}
