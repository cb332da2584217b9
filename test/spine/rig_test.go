package spine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/internal/nstest"
)

// pinRoot is where plane ebpf keeps what outlives the daemon.
const pinRoot = "/sys/fs/bpf/yoke"

// The addresses of the aggregate and of its peer.
const (
	hereAddr  = "192.0.2.1"
	thereAddr = "192.0.2.2"
)

// programs is the directory of the built programs, made when the first test wants it.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "yoke-spine")
	if err != nil {
		return "", err
	}
	// Who has no privilege must reach them too.
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", dir, "github.com/yokelag/yoke/cmd/yoke", "github.com/yokelag/yoke/cmd/yoked")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("build: %w\n%s", err, out)
	}
	return dir, nil
})

var built sync.Once // tells TestMain whether there is a directory to remove

func TestMain(m *testing.M) {
	code := m.Run()
	wanted := true
	built.Do(func() { wanted = false })
	if wanted {
		if dir, _ := programs(); dir != "" {
			os.RemoveAll(dir)
		}
	}
	os.Exit(code)
}

// rig is a host whose ports are joined by yoked, and a peer. Neither speaks unless a
// test makes it: no IPv6, and neighbours are told and not asked for.
type rig struct {
	t           *testing.T
	here, there *nstest.NS
	bin, dir    string
	daemon      *exec.Cmd
	log         *journal
}

// newHost makes a rig without any interface yet.
func newHost(t *testing.T, features ...string) *rig {
	t.Helper()
	nstest.Require(t, append([]string{"root", "veth", "bridge"}, features...)...)
	built.Do(func() {})
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, bin: bin, dir: t.TempDir(), log: &journal{}}
	r.here, r.there = r.space(), r.space()
	inode := r.here.Space().ID().Inode
	t.Cleanup(func() {
		// Pins that a failed test left would keep its programs in the kernel.
		_ = os.RemoveAll(filepath.Join(pinRoot, strconv.FormatUint(inode, 10)))
		_ = os.Remove(pinRoot) // where it is empty
	})
	return r
}

// space is a namespace in which nothing is said by itself.
func (r *rig) space() *nstest.NS {
	r.t.Helper()
	n := nstest.New(r.t)
	n.Do(func() {
		for _, which := range []string{"all", "default"} {
			setIPv6(r.t, which, "disable_ipv6", "1")
		}
	})
	return n
}

// setIPv6 writes a sysctl in the namespace of the calling thread.
func setIPv6(t *testing.T, which, name, value string) {
	t.Helper()
	err := os.WriteFile("/proc/thread-self/root/proc/sys/net/ipv6/conf/"+which+"/"+name, []byte(value), 0)
	if err != nil && !errors.Is(err, os.ErrNotExist) { // a kernel without IPv6
		t.Fatal(err)
	}
}

// newRig is a host and a peer back to back, by two cables: eth1 and eth2 here, far1 and
// far2 there, joined by the bridge br0.
func newRig(t *testing.T, features ...string) *rig {
	t.Helper()
	r := newHost(t, features...)
	// A veth whose own ifindex happens to be its peer's in the other namespace has its
	// carrier noticed up to a second late, and a bridge does not forward for that long.
	r.there.Veth("spare1", r.there, "spare2")
	r.here.Veth("eth1", r.there, "far1")
	r.here.Veth("eth2", r.there, "far2")
	r.bridge(r.there, "br0", "far1", "far2")
	return r
}

// bridge makes a bridge that joins no groups: it would do so by frames of its own.
func (r *rig) bridge(n *nstest.NS, name string, ports ...string) {
	r.t.Helper()
	nstest.Command(r.t, n, "ip", "link", "add", name, "type", "bridge", "mcast_snooping", "0")
	for _, port := range ports {
		nstest.Command(r.t, n, "ip", "link", "set", port, "master", name)
	}
	n.SetUp(name)
}

// journal is what a daemon logs, safe to read while it is written.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

func (r *rig) socket() string { return filepath.Join(r.dir, "yoke.sock") }

func (r *rig) env() []string {
	return append(os.Environ(), "YOKE_SOCKET="+r.socket(), "YOKE_STATE_DIR="+r.dir)
}

// start runs yoked until the test ends, and waits until it answers.
func (r *rig) start() { r.t.Helper(); r.startBy() }

// startBy is start by other words in front, as those of unshare.
func (r *rig) startBy(words ...string) {
	r.t.Helper()
	words = append(words, filepath.Join(r.bin, "yoked"), "--config", filepath.Join(r.dir, "none"))
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = r.env()
	cmd.Stderr = r.log
	r.daemon = cmd
	r.here.Start(cmd)
	nstest.Eventually(r.t, 20*time.Second, func() bool {
		_, err := r.yoke("get", "bond0") // which, unlike status, is asked of a daemon only
		return exitCode(err) != noDaemon
	}, "yoked to answer; its log:\n%s", r.log)
}

// noDaemon is the exit code of yoke where no daemon answers.
const noDaemon = 3

func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	default:
		return -1
	}
}

// kill ends the daemon by SIGKILL and waits until it is reaped, so that none of its
// threads and files is left.
func (r *rig) kill() {
	r.t.Helper()
	if err := r.daemon.Process.Kill(); err != nil {
		r.t.Fatal(err)
	}
	nstest.Eventually(r.t, 10*time.Second, func() bool {
		_, err := os.Stat(fmt.Sprintf("/proc/%d", r.daemon.Process.Pid))
		return err != nil
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
		r.t.Fatalf("yoke %v: %v\n%s\nlog of yoked:\n%s", args, err, out, r.log)
	}
	return out
}

// up makes bond0, gives it its address, and tells both hosts where the other is.
func (r *rig) up(peer string, words ...string) {
	r.t.Helper()
	r.must(append([]string{"up", "bond0"}, words...)...)
	r.here.AddAddr("bond0", hereAddr+"/24")
	r.here.SetUp("bond0")
	r.there.AddAddr(peer, thereAddr+"/24")
	nstest.Command(r.t, r.here, "ip", "neigh", "replace", thereAddr, "lladdr", r.there.MAC(peer).String(), "dev", "bond0")
	nstest.Command(r.t, r.there, "ip", "neigh", "replace", hereAddr, "lladdr", r.here.MAC("bond0").String(), "dev", peer)
	r.here.MustPing(thereAddr)
}

// status is that of bond0.
func (r *rig) status() agg.Status {
	r.t.Helper()
	out := r.must("status", "bond0", "-o", "json")
	var list control.StatusList
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Aggregates) != 1 {
		r.t.Fatalf("status of bond0: %v\n%s", err, out)
	}
	return list.Aggregates[0]
}

// waitFor waits until the status of bond0 is as cond says.
func (r *rig) waitFor(cond func(agg.Status) bool, what string) agg.Status {
	r.t.Helper()
	var s agg.Status
	nstest.Eventually(r.t, 10*time.Second, func() bool {
		s = r.status()
		return cond(s)
	}, "%s; log of yoked:\n%s", what, r.log)
	return s
}

// waitActive waits until frames leave by the port and the plan is in force.
func (r *rig) waitActive(port string) {
	r.t.Helper()
	r.waitFor(func(s agg.Status) bool { return s.Active == port && s.Plan.InForce }, port+" to be the active port")
}

// waitCarrying waits until so many ports carry.
func (r *rig) waitCarrying(n int) {
	r.t.Helper()
	r.waitFor(func(s agg.Status) bool { return s.Carrying == n && s.Plan.InForce }, strconv.Itoa(n)+" ports to carry")
}

// pinDir is where bond0 is pinned.
func (r *rig) pinDir() string {
	return filepath.Join(pinRoot, strconv.FormatUint(r.here.Space().ID().Inode, 10), "bond0")
}

// lossless fails the test where a stream lost, doubled or turned round a frame.
func lossless(t *testing.T, what string, r nstest.Result) {
	t.Helper()
	t.Logf("%s: %d sent, %d lost, longest gap %v", what, r.Sent, r.Lost, r.LongestGap)
	if r.Lost != 0 || r.Duplicated != 0 || r.Reordered != 0 {
		t.Errorf("%s: got %+v; softnet: %s", what, r, softnet())
	}
}

// softnet is how many frames each CPU dropped for a full backlog, to tell a busy machine
// from a lossy plane.
func softnet() string {
	b, err := os.ReadFile("/proc/net/softnet_stat")
	if err != nil {
		return err.Error()
	}
	var drops []string
	for line := range strings.Lines(string(b)) {
		if words := strings.Fields(line); len(words) > 1 {
			drops = append(drops, words[1])
		}
	}
	return "dropped " + strings.Join(drops, " ")
}
