package newcomer

import (
	"os"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

// visit is a newcomer at a host with free ports eth1 and eth2, and a daemon.
type visit struct{ *rig.Rig }

func newVisit(t *testing.T, features ...string) *visit {
	t.Helper()
	v := &visit{rig.New(t, append([]string{"bpf", "bpffs"}, features...)...)}
	v.Start()
	return v
}

// ip runs the program ip on the host.
func (v *visit) ip(words string) string {
	v.T.Helper()
	return nstest.Command(v.T, v.Here, "ip", strings.Fields(words)...)
}

// says fails the test where a text lacks one of the words.
func says(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("it does not say %q:\n%s", word, text)
		}
	}
}

// answers runs yoke, which must end with the code and say the words.
func (v *visit) answers(code int, args string, words ...string) string {
	v.T.Helper()
	out, err := v.Yoke(strings.Fields(args)...)
	if got := rig.ExitCode(err); got != code {
		v.T.Errorf("yoke %s: exit code %d, want %d\n%s", args, got, code, out)
	}
	says(v.T, out, words...)
	return out
}

func TestUpWithoutAMode(t *testing.T) {
	v := newVisit(t)
	v.answers(0, "up bond0 eth1 eth2", "mode is active-backup, because none was asked for", "eth2 stands by")
}

// All checks, and no change.
func TestUpDryRun(t *testing.T) {
	v := newVisit(t)
	before := v.ip("-d addr")
	v.answers(0, "up bond0 eth1 eth2 --dry-run", "bond0 would be made in mode active-backup on plane ", "of eth1, eth2", "`yoke up bond0 eth1 eth2` does it")
	v.answers(1, "up bond0 eth1 eth9 --dry-run", "eth9")
	v.answers(1, "up bond0 mimon=5 eth1 --dry-run", "did you mean miimon?")
	v.answers(0, "status", "no aggregate yet")
	if after := v.ip("-d addr"); after != before {
		t.Errorf("it changed\n%s\nto\n%s", before, after)
	}
}

func TestIPLinkShowsNothingStrange(t *testing.T) {
	v := newVisit(t)
	v.Up("br0", "eth1", "eth2")
	says(t, v.ip("link show dev yk-bond0"), "alias yoke: inner end of bond0")
	if out := v.ip("-6 addr show dev yk-bond0"); out != "" {
		t.Errorf("the hidden device speaks IPv6:\n%s", out)
	}
	says(t, v.ip("-d link show dev yk-bond0"), "addrgenmode none")
}

func TestIPLinkSetDown(t *testing.T) {
	v := newVisit(t)
	v.Up("br0", "eth1", "eth2")
	v.ip("link set bond0 down")
	v.WaitFor(func(s agg.Status) bool { return s.Carrying == 0 }, "status to know")
	v.answers(6, "why bond0", "bond0 is set down")
	nstest.Eventually(t, waitTime, func() bool {
		return strings.Contains(v.Must("events", "bond0"), "bond0 was set down")
	}, "it to be recorded")
	v.ip("link set bond0 up")
	v.WaitCarrying(1)
	v.Here.MustPing(rig.ThereAddr)
}

func TestIPLinkDel(t *testing.T) {
	v := newVisit(t)
	v.Up("br0", "eth1", "eth2")
	mac := v.Here.MAC("eth2").String()
	v.ip("link del bond0")
	nstest.Eventually(t, waitTime, func() bool { return v.Here.MAC("eth2").String() != mac }, "the ports to be given back")
	nstest.Eventually(t, waitTime, func() bool {
		out, err := v.Yoke("status")
		return err == nil && strings.Contains(out, "no aggregate yet")
	}, "the aggregate to be gone; log of yoked:\n%s", v.Log)
	nstest.Eventually(t, waitTime, func() bool { return !v.Here.Has("yk-bond0") }, "the inner end to be gone")
	v.Must("up", "bond0", "eth1", "eth2")
}

// The aggregate has the name too, as a bond would, also for the next daemon.
func TestIPLinkSetName(t *testing.T) {
	for _, plane := range []string{"ebpf", "user"} {
		t.Run(plane, func(t *testing.T) {
			v := newVisit(t)
			v.Up("br0", "plane="+plane, "eth1", "eth2")
			carries := func() bool {
				out, err := v.Yoke("status", "lag0")
				return err == nil && strings.Contains(out, "1 of 2 ports carries traffic") && strings.Contains(out, "in force")
			}
			v.ip("link set bond0 name lag0")
			nstest.Eventually(t, waitTime, carries, "lag0; log of yoked:\n%s", v.Log)
			v.Here.MustPing(rig.ThereAddr)
			v.Kill()
			v.Start()
			nstest.Eventually(t, waitTime, carries, "the next daemon to adopt lag0; log of yoked:\n%s", v.Log)
			v.Here.MustPing(rig.ThereAddr)
			v.answers(0, "set lag0 primary=eth2", "primary=eth2")
			v.answers(1, "status bond0", "what is there: lag0")
			v.Must("down", "lag0")
			if out := v.ip("link"); strings.Contains(out, "lag0") || strings.Contains(out, "yk-") {
				t.Errorf("something is left:\n%s", out)
			}
		})
	}
}

func TestProcOutOfHabit(t *testing.T) {
	v := newVisit(t)
	v.Up("br0", "eth1", "eth2")
	v.answers(0, "status -o teamd", `"active_port": "eth1"`, `"runner_name": "activebackup"`, `"eth2": {`, `"link_watch_0": {`)
	v.answers(0, "status bond0 --as-proc", "Bonding Mode: fault-tolerance (active-backup)", "Currently Active Slave: eth1", "Slave Interface: eth2")
}

func TestWantsItOff(t *testing.T) {
	v := newVisit(t)
	v.answers(0, "up bond0 eth1")
	v.answers(0, "up bond1 eth2")
	v.answers(0, "down bond1", "bond1: gone, its ports are given back")
	v.answers(0, "down --all", "bond0: gone, its ports are given back")
	for _, name := range []string{"bond0", "bond1", "yk-bond0", "yk-bond1"} {
		if v.Here.Has(name) {
			t.Errorf("%s is left", name)
		}
	}
	if out := nstest.Command(t, v.Here, "tc", "qdisc"); strings.Contains(out, "clsact") {
		t.Errorf("something is left:\n%s", out)
	}
}
