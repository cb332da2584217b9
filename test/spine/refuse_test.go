package spine

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// nobody is the user without any privilege.
const nobody = 65534

// The exit codes, as `yoke --help` tells them.
const (
	refused      = 1
	unreadable   = 2
	notPermitted = 4
)

// refusal is one thing that must not work, on a host with bond0 of eth1 and eth2.
type refusal struct {
	name string
	// before makes the fault.
	before func(r *host)
	args   []string
	code   int
	// says is what the message must name.
	says []string
	// remedy is what makes it work, as the message says it: other words for yoke, after
	// a command of ip where there is one.
	ip, remedy []string
}

func refusals() []refusal {
	spare := func(words ...string) []string { return append([]string{"up", "bond1"}, words...) }
	return []refusal{
		{name: "unknown option", args: spare("miimom=100", "eth3"), code: refused,
			says: []string{"miimom", "miimon"}, remedy: spare("miimon=100", "eth3")},
		{name: "unknown option in set", args: []string{"set", "bond0", "updellay=10ms"}, code: refused,
			says: []string{"bond0", "updellay", "`yoke set bond0 updelay=10ms`"}},
		{name: "option of another mode", args: spare("mode=balance-xor", "primary=eth3", "eth3"), code: refused,
			says: []string{"primary", "balance-xor"}, remedy: spare("mode=active-backup", "primary=eth3", "eth3")},
		{name: "option of another mode in set", args: []string{"set", "bond0", "xmit_hash_policy=layer2"}, code: refused,
			says: []string{"bond0", "xmit_hash_policy", "active-backup", "`yoke down bond0 && yoke up bond0 mode=balance-xor plane=ebpf xmit_hash_policy=layer2 eth1 eth2`"}},
		{name: "out of range", args: spare("num_grat_arp=256", "eth3"), code: refused,
			says: []string{"num_grat_arp=256", "255"}, remedy: spare("num_grat_arp=255", "eth3")},
		{name: "more MTU than the port takes", before: func(r *host) {
			r.Here.Delete("eth3")
			nstest.Command(r.T, r.Here, "ip", "tuntap", "add", "eth3", "mode", "tap")
		}, args: spare("mtu=65535", "eth3"), code: refused, says: []string{"eth3", "mtu=65535", "65521"}, remedy: spare("mtu=65521", "eth3")},
		{name: "no duration", args: []string{"set", "bond0", "updelay=soon"}, code: refused, says: []string{"updelay=soon", "`yoke set bond0 updelay=0s`"}},
		{name: "missing interface", args: spare("eth33"), code: refused, says: []string{"eth33", "eth3"}, remedy: spare("eth3")},
		{name: "in another aggregate", args: spare("eth1"), code: refused,
			says: []string{"eth1", "bond0", "yoke remove bond0 eth1"}},
		{name: "bridge port", before: func(r *host) { r.Bridge(r.Here, "br9", "eth3") }, args: spare("eth3"), code: refused,
			says: []string{"eth3", "bridge br9"}, ip: []string{"ip link set eth3 nomaster"}, remedy: spare("eth3")},
		{name: "has addresses", before: func(r *host) {
			r.Here.AddAddr("eth3", "198.51.100.7/24")
			r.Here.AddAddr("eth3", "198.51.100.8/32")
		}, args: []string{"add", "bond0", "eth3"}, code: refused,
			says: []string{"eth3", "198.51.100.7/24", "198.51.100.8/32"}, ip: []string{"ip addr flush dev eth3"}, remedy: spare("eth3")},
		{name: "has routes", before: func(r *host) {
			nstest.Command(r.T, r.Here, "ip", "route", "add", "203.0.113.0/24", "dev", "eth3", "scope", "link")
		}, args: spare("eth3"), code: refused,
			says: []string{"eth3", "203.0.113.0/24"}, ip: []string{"ip route flush dev eth3"}, remedy: spare("eth3")},
		{name: "loopback", args: spare("lo"), code: refused, says: []string{"lo", "loopback", "ip link"}},
		{name: "not Ethernet", before: func(r *host) {
			nstest.Command(r.T, r.Here, "ip", "tuntap", "add", "tun9", "mode", "tun")
		}, args: spare("tun9"), code: refused, says: []string{"tun9", "Ethernet"}, ip: []string{"ip link delete tun9 && ip tuntap add tun9 mode tap"}, remedy: spare("tun9")},
		{name: "the inner end", args: spare("yk-bond0"), code: refused, says: []string{"yk-bond0", "bond0"}},
		{name: "an aggregate", args: spare("bond0"), code: refused, says: []string{"bond0", "yoke down bond0"}},
		{name: "name too long", args: []string{"up", "sixteen-letters-", "eth3"}, code: refused,
			says: []string{"sixteen-letters-", "15"}, remedy: []string{"up", "sixteen-letters", "eth3"}},
		{name: "duplicate name", args: []string{"up", "bond0", "eth3"}, code: refused,
			says: []string{"bond0", "already", "yoke add bond0"}, remedy: []string{"add", "bond0", "eth3"}},
		{name: "name of an interface", args: []string{"up", "eth2", "eth3"}, code: refused, says: []string{"eth2"}, remedy: spare("eth3")},
		{name: "the same port twice", args: spare("eth3", "eth3"), code: refused, says: []string{"eth3"}, remedy: spare("eth3")},
		{name: "no such aggregate", args: []string{"set", "bond7", "updelay=1s"}, code: refused, says: []string{"bond7", "yoke up bond7", "`yoke set bond0 updelay=1s`"}},
		{name: "no such port", args: []string{"set", "bond0", "eth9,prio=1"}, code: refused, says: []string{"eth9", "bond0", "yoke add bond0 eth9"}},
		{name: "no such command", args: []string{"stauts"}, code: unreadable, says: []string{"stauts", "yoke status"}},
		{name: "words missing", args: []string{"add", "bond0"}, code: unreadable, says: []string{"yoke add"}},
	}
}

// Every refusal names the thing and the rule, ends with what would work, has its exit
// code, and leaves the running aggregate as it was; what it recommends does work.
func TestRefusals(t *testing.T) {
	nstest.Require(t, "tun")
	r := newHost(t, "bpf")
	r.Start()
	r.Up("br0", "plane=ebpf", "eth1", "eth2")
	r.stands()
	for _, c := range refusals() {
		t.Run(c.name, func(t *testing.T) {
			r.Here.Veth("eth3", r.There, "far3")
			defer r.Here.Delete("eth3")
			if c.before != nil {
				c.before(r)
			}
			before := r.standing()
			out, err := r.Yoke(c.args...)
			if got := rig.ExitCode(err); got != c.code {
				t.Errorf("yoke %s: exit code %d, want %d", strings.Join(c.args, " "), got, c.code)
			}
			t.Logf("yoke %s\n%s", strings.Join(c.args, " "), out)
			for _, word := range c.says {
				if !strings.Contains(out, word) {
					t.Errorf("yoke %s does not say %q:\n%s", strings.Join(c.args, " "), word, out)
				}
			}
			if after := r.standing(); !reflect.DeepEqual(before, after) {
				t.Errorf("bond0 is another:\nbefore %+v\nafter  %+v", before, after)
			}
			if end := strings.TrimRight(out, "?\n"); !strings.HasSuffix(end, "`") {
				t.Errorf("yoke %s: no command ends\n%s", strings.Join(c.args, " "), out)
			}
			r.recommended(t, c, out)
		})
	}
	r.Here.MustPing(rig.ThereAddr)
}

// recommended does what the refusal says, and tries again.
func (r *host) recommended(t *testing.T, c refusal, out string) {
	t.Helper()
	if c.remedy == nil {
		return
	}
	for _, words := range c.ip {
		if !strings.Contains(out, words) {
			t.Errorf("the refusal does not say %q:\n%s", words, out)
		}
		for command := range strings.SplitSeq(words, "&&") {
			args := strings.Fields(command)
			nstest.Command(t, r.Here, args[0], args[1:]...)
		}
	}
	if whole := "`yoke " + strings.Join(c.remedy, " ") + "`"; c.ip == nil && !strings.Contains(out, whole) {
		t.Errorf("the refusal does not say %s:\n%s", whole, out)
	}
	again, err := r.Yoke(c.remedy...)
	if err != nil {
		t.Fatalf("yoke %s, which was to work: %v\n%s", strings.Join(c.remedy, " "), err, again)
	}
	if c.remedy[0] == "up" {
		r.Must("down", c.remedy[1])
	} else {
		r.Must("remove", "bond0", "eth3")
	}
}

// standing is what a refused change must leave alone.
type standing struct {
	Spec       agg.Spec
	Generation uint64
	Published  agg.Instant
	Links      string
	State      string
}

// stands waits until nothing about bond0 changes any more by itself.
func (r *host) stands() {
	r.T.Helper()
	r.WaitFor(func(s agg.Status) bool { return s.Plan.InForce && len(s.Plan.Order) == 2 }, "both ports to be in use")
	var last standing
	nstest.Eventually(r.T, 30*time.Second, func() bool {
		before := last
		time.Sleep(500 * time.Millisecond)
		last = r.standing()
		return reflect.DeepEqual(before, last)
	}, "bond0 to be as it stays")
}

func (r *host) standing() standing {
	r.T.Helper()
	s := r.WaitFor(func(s agg.Status) bool { return s.Plan.InForce }, "the plan to be in force")
	state, err := os.ReadFile(filepath.Join(r.Dir, "bond0.json"))
	if err != nil {
		r.T.Fatal(err)
	}
	var links snapshot
	links.links(r.T, nstest.Command(r.T, r.Here, "ip", "-d", "-j", "link"))
	// The interface that the case itself is about may settle meanwhile.
	links = slices.DeleteFunc(links, func(line string) bool {
		return strings.Contains(line, "eth3") || strings.Contains(line, "br9") || strings.Contains(line, "tun9")
	})
	return standing{s.Spec, s.Plan.Generation, s.Plan.PublishedAt, strings.Join(links, "\n"), string(state)}
}

// A second daemon on the socket, or on the state directory, is refused and the first one
// serves on.
func TestSecondDaemonIsRefused(t *testing.T) {
	r := newHost(t)
	r.Start()
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"the socket":          {[]string{"--socket", r.Socket(), "--state-dir", t.TempDir()}, r.Socket()},
		"the state directory": {[]string{"--socket", filepath.Join(t.TempDir(), "yoke.sock"), "--state-dir", r.Dir}, r.Dir},
	} {
		cmd := exec.Command(filepath.Join(r.Bin, "yoked"), append(c.args, "--config", filepath.Join(r.Dir, "none"))...)
		out, err := r.output(cmd)
		if rig.ExitCode(err) != refused || !strings.Contains(out, c.says) || !strings.Contains(out, "yoked --s") {
			t.Errorf("%s: exit code %d: %s", name, rig.ExitCode(err), out)
		}
	}
	if out, err := r.Yoke("get", "bond0"); rig.ExitCode(err) != refused {
		t.Errorf("the first daemon does not answer any more: %v\n%s", err, out)
	}
}

// A user without the privilege is told so, by the command and by the daemon, and what
// works without.
func TestNoPermission(t *testing.T) {
	r := newHost(t)
	r.Start()
	// The directory of the test itself must not be what stops the user.
	if err := os.Chmod(r.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		program string
		args    []string
		code    int
		says    []string
	}{
		{"yoke", []string{"up", "bond0", "eth1", "eth2"}, notPermitted, []string{r.Socket(), "group yoke", "yoke demo"}},
		{"yoke", []string{"status"}, notPermitted, []string{r.Socket()}},
		{"yoked", []string{"--config", filepath.Join(r.Dir, "none")}, refused, []string{"sudo yoked", "yoke demo"}},
	} {
		cmd := exec.Command(filepath.Join(r.Bin, c.program), c.args...)
		cmd.Env = r.Env()
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		out, err := r.output(cmd)
		t.Logf("%s %s\n%s", c.program, strings.Join(c.args, " "), out)
		if got := rig.ExitCode(err); got != c.code {
			t.Errorf("%s %v: exit code %d, want %d", c.program, c.args, got, c.code)
		}
		for _, word := range c.says {
			if !strings.Contains(out, word) {
				t.Errorf("%s %v does not say %q:\n%s", c.program, c.args, word, out)
			}
		}
	}
}

// output runs a command in the daemon's namespace.
func (r *host) output(cmd *exec.Cmd) (string, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := r.Here.Run(cmd.Run)
	return out.String(), err
}
