package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
)

// binaries are built once for all tests of the package.
var binaries = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "yoke-bin")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", dir, "github.com/yokelag/yoke/cmd/yoke", "github.com/yokelag/yoke/cmd/yoked").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := binaries(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// rig is two hosts joined by two cables: here runs yoked over eth1 and eth2, there is
// a bridge of the far ends with an address.
type rig struct {
	t           *testing.T
	here, there *nstest.NS
	bin, dir    string
	daemon      *exec.Cmd
	log         bytes.Buffer
}

func newRig(t *testing.T, features ...string) *rig {
	t.Helper()
	nstest.Require(t, append([]string{"root", "veth", "bridge"}, features...)...)
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, here: nstest.New(t), there: nstest.New(t), bin: bin, dir: t.TempDir()}
	r.here.Veth("eth1", r.there, "far1")
	r.here.Veth("eth2", r.there, "far2")
	r.there.Bridge("br0", "far1", "far2")
	r.there.AddAddr("br0", "192.0.2.2/24")
	r.settle("eth1", "eth2")
	return r
}

// settle waits until the kernel has done what it does by itself with new interfaces.
func (r *rig) settle(names ...string) {
	r.t.Helper()
	for _, name := range names {
		nstest.Eventually(r.t, 20*time.Second, func() bool {
			out := nstest.Command(r.t, r.here, "ip", "-6", "-o", "addr", "show", "dev", name, "-tentative")
			return strings.Contains(out, "fe80:")
		}, "%s to have its link-local address", name)
	}
}

func (r *rig) env() []string {
	return append(os.Environ(), "YOKE_SOCKET="+filepath.Join(r.dir, "yoke.sock"), "YOKE_STATE_DIR="+r.dir)
}

// start runs yoked until the test ends, and waits until it answers.
func (r *rig) start(args ...string) {
	r.t.Helper()
	cmd := exec.Command(filepath.Join(r.bin, "yoked"), append([]string{"--config", filepath.Join(r.dir, "none")}, args...)...)
	cmd.Env = r.env()
	cmd.Stderr = &r.log
	r.daemon = cmd
	r.here.Start(cmd)
	nstest.Eventually(r.t, 20*time.Second, func() bool {
		_, err := r.yoke("status")
		return err == nil
	}, "yoked to answer; its log: %s", &r.log)
}

// kill ends the daemon by SIGKILL.
func (r *rig) kill() {
	r.t.Helper()
	if err := r.daemon.Process.Kill(); err != nil {
		r.t.Fatal(err)
	}
	nstest.Eventually(r.t, 10*time.Second, func() bool {
		_, err := os.Stat(fmt.Sprintf("/proc/%d", r.daemon.Process.Pid))
		return err != nil // reaped, so that all its threads and files are gone
	}, "yoked to end")
}

// yoke runs the command in the daemon's namespace.
func (r *rig) yoke(args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(r.bin, "yoke"), args...)
	cmd.Env = r.env()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := r.here.Run(cmd.Run)
	return out.String(), err
}

func (r *rig) must(args ...string) string {
	r.t.Helper()
	out, err := r.yoke(args...)
	if err != nil {
		r.t.Fatalf("yoke %v: %v\n%s\nlog of yoked:\n%s", args, err, out, r.log.String())
	}
	return out
}

func (r *rig) waitStatus(text string) {
	r.t.Helper()
	nstest.Eventually(r.t, 10*time.Second, func() bool {
		out, _ := r.yoke("status")
		return strings.Contains(out, text)
	}, "status to say %q", text)
}

// picture is what `ip` shows of the namespace, without what changes by itself.
func (r *rig) picture() string {
	text := nstest.Command(r.t, r.here, "ip", "-d", "-o", "link") + nstest.Command(r.t, r.here, "ip", "-o", "maddr")
	text = regexp.MustCompile(`(timer|age) +[\d.]+`).ReplaceAllString(text, "$1")
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestUpPullKillAdoptDown(t *testing.T) {
	for _, plane := range []string{"ebpf", "user"} {
		t.Run(plane, func(t *testing.T) {
			var features []string
			if plane == "ebpf" {
				features = []string{"bpf"}
			}
			r := newRig(t, features...)
			before := r.picture()
			r.start()
			out := r.must("up", "bond0", "plane="+plane, "eth1", "eth2")
			if !strings.Contains(out, "active-backup") {
				t.Errorf("yoke up does not name the mode: %s", out)
			}
			r.here.AddAddr("bond0", "192.0.2.1/24")
			r.here.SetUp("bond0")
			r.here.MustPing("192.0.2.2")
			if _, err := r.yoke("why", "eth1"); err != nil {
				t.Errorf("why eth1: %v", err)
			}

			r.there.SetDown("far1")
			r.waitStatus("active eth2")
			r.here.MustPing("192.0.2.2")
			r.there.SetUp("far1")
			r.waitStatus("eth1 stands by")

			r.kill()
			out, _ = r.yoke("status")
			if !strings.Contains(out, "no daemon") {
				t.Errorf("status without a daemon: %s", out)
			}
			if plane == "ebpf" {
				r.here.MustPing("192.0.2.2")
			}
			r.start()
			r.waitStatus("active eth2")
			r.here.MustPing("192.0.2.2")
			r.there.SetDown("far2")
			r.waitStatus("active eth1")
			r.here.MustPing("192.0.2.2")
			r.there.SetUp("far2")
			r.must("down", "bond0")
			if after := r.picture(); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
		})
	}
}

func TestStreamSurvivesKillAndAdoption(t *testing.T) {
	r := newRig(t, "bpf")
	r.start()
	r.must("up", "bond0", "plane=ebpf", "eth1", "eth2")
	r.here.AddAddr("bond0", "192.0.2.1/24")
	r.here.SetUp("bond0")
	r.here.MustPing("192.0.2.2")
	s := nstest.StartUDP(t, r.here, r.there, "192.0.2.1", "192.0.2.2", 100*time.Microsecond)
	s.WaitReceived(1000)
	r.kill()
	s.WaitReceived(1000)
	r.start()
	s.WaitReceived(1000)
	if got := s.Stop(); got.Lost != 0 || got.Duplicated != 0 || got.Reordered != 0 {
		t.Errorf("got %+v", got)
	}
	r.must("down", "--all")
}

func TestRefusalsOnRealInterfaces(t *testing.T) {
	r := newRig(t)
	r.start()
	r.here.AddAddr("eth1", "192.0.2.9/24")
	r.here.Veth("eth3", r.there, "far3")
	r.here.Bridge("br1", "eth3")
	r.settle("br1")
	before := r.picture()
	for _, c := range []struct{ args, want []string }{
		{[]string{"up", "bond0", "eth1"}, []string{"192.0.2.9/24", "; "}},
		{[]string{"up", "bond0", "eth3"}, []string{"br1", "; "}},
		{[]string{"up", "bond0", "lo"}, []string{"loopback", "; "}},
		{[]string{"up", "bond0", "eth22"}, []string{"eth2"}},
		{[]string{"up", "eth1", "eth2"}, []string{"already"}},
		{[]string{"up", "bond0", "plane=mem", "eth2"}, []string{"yoked --dry"}},
	} {
		out, err := r.yoke(c.args...)
		if err == nil {
			t.Errorf("%v was not refused", c.args)
		}
		for _, w := range c.want {
			if !strings.Contains(out, w) {
				t.Errorf("%v: %q does not say %q", c.args, out, w)
			}
		}
	}
	if after := r.picture(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestClientOfAnotherNamespaceIsRefused(t *testing.T) {
	r := newRig(t)
	r.start()
	r.here, r.there = r.there, r.here
	out, err := r.yoke("status")
	r.here, r.there = r.there, r.here
	if err == nil || !strings.Contains(out, "nsenter --net=/proc/") {
		t.Errorf("got %v: %s", err, out)
	}
}

func TestSecondDaemonIsRefused(t *testing.T) {
	r := newRig(t)
	r.start()
	cmd := exec.Command(filepath.Join(r.bin, "yoked"), "--config", filepath.Join(r.dir, "none"))
	cmd.Env = r.env()
	out := ""
	err := r.here.Run(func() error {
		text, err := cmd.CombinedOutput()
		out = string(text)
		return err
	})
	if err == nil || !strings.Contains(out, "another yoked") {
		t.Errorf("got %v: %s", err, out)
	}
}

func TestForegroundFile(t *testing.T) {
	r := newRig(t)
	file := filepath.Join(r.dir, "bond7.yaml")
	if err := os.WriteFile(file, []byte("mode: balance-xor\nplane: user\nports:\n  - eth1\n  - name: eth2\n    weight: 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.start("-f", file)
	if out := r.must("status", "bond7"); !strings.Contains(out, "2 of 2 ports") {
		t.Errorf("got %s", out)
	}
	r.must("down", "--all")
}
