package newcomer

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// background runs a program in the namespace until the test ends.
func (v *visit) background(n *nstest.NS, words ...string) {
	v.T.Helper()
	n.Start(exec.Command(words[0], words[1:]...))
}

// The port under one's own session is refused, with the one command that is safe; that
// one works.
func TestUpOverSSH(t *testing.T) {
	v := newVisit(t)
	v.There.AddAddr("br0", rig.ThereAddr+"/24")
	v.Here.AddAddr("eth1", rig.HereAddr+"/24")
	v.ip("route add default via " + rig.ThereAddr)
	before := v.ip("route")
	command := "up bond0 eth1 eth2 --take-over --confirm 60s"
	v.answers(1, "up bond0 eth1 eth2", rig.HereAddr+"/24", "`yoke "+command+"`", "yoke confirm")
	if after := v.ip("route"); after != before {
		t.Errorf("the refusal changed the routes to\n%s", after)
	}
	v.answers(0, command, "up bond0 is undone in ", " unless you run `yoke confirm`")
	says(t, v.ip("route"), "default via "+rig.ThereAddr+" dev bond0")
	v.Here.MustPing(rig.ThereAddr)
	v.answers(0, "confirm --undo", "undone")
	if after := v.ip("route"); after != before {
		t.Errorf("undone, the routes are\n%s", after)
	}
}

// A capture on the aggregate sees both directions, or status says which it does not.
func TestCaptureOnTheAggregate(t *testing.T) {
	v := newVisit(t)
	v.Up("br0", "eth1", "eth2")
	if in, out := v.seen(); in == 0 || out == 0 {
		t.Errorf("saw %d frames in and %d out", in, out)
	}
	v.set("fast_path=on")
	if in, out := v.seen(); in == 0 || out != 0 {
		t.Errorf("on the fast path: saw %d frames in and %d out; status says the latter are hidden", in, out)
	}
	v.answers(0, "status", "fast path (transmitted frames bypass tcpdump")
	v.answers(0, "help fast_path", "tcpdump")
	v.set("fast_path=off")
	if in, out := v.seen(); in == 0 || out == 0 {
		t.Errorf("switched off: saw %d frames in and %d out", in, out)
	}
}

// set changes an option, and waits until it is in force.
func (v *visit) set(word string) {
	v.T.Helper()
	v.Must("set", "bond0", word)
	v.WaitFor(func(s agg.Status) bool { return s.Plan.InForce }, word+" to be in force")
}

// seen counts what a packet socket on bond0 sees of a ping.
func (v *visit) seen() (in, out int) {
	v.T.Helper()
	const all = unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8 // in network order
	fd := -1
	err := v.Here.Run(func() (err error) {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		return err
	})
	if err == nil {
		defer unix.Close(fd)
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: v.Here.Index("bond0")})
	}
	if err != nil {
		v.T.Fatal(err)
	}
	v.Here.MustPing(rig.ThereAddr)
	for b := make([]byte, 2048); ; {
		_, from, err := unix.Recvfrom(fd, b, 0)
		if err != nil {
			return in, out // no more
		}
		if a, ok := from.(*unix.SockaddrLinklayer); ok && a.Pkttype == unix.PACKET_OUTGOING {
			out++
		} else {
			in++
		}
	}
}

// The command in another network namespace than the daemon's.
func TestInAnotherNamespace(t *testing.T) {
	v := newVisit(t)
	v.Here, v.There = v.There, v.Here
	out, err := v.Yoke("up", "bond0", "far1", "far2")
	v.Here, v.There = v.There, v.Here
	if rig.ExitCode(err) != 4 {
		t.Errorf("got %v", err)
	}
	says(t, out, "serves network namespace", "nsenter --net=/proc/", "yoke up bond0 far1 far2", "start a yoked of its own")
}

// asNobody makes a command one of a user without privileges and with an empty environment.
func asNobody(cmd *exec.Cmd, env ...string) *exec.Cmd {
	cmd.Env = env
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	return cmd
}

func TestWithoutRoot(t *testing.T) {
	v := newVisit(t)
	if err := os.Chmod(v.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := asNobody(exec.Command(v.Bin+"/yoke", "up", "bond0", "eth1", "eth2"), "YOKE_SOCKET="+v.Socket()).CombinedOutput()
	if rig.ExitCode(err) != 4 {
		t.Errorf("got %v", err)
	}
	says(t, string(out), "needs group yoke or root; `yoke demo` works without")
}

// The demo needs two files and nothing else: no root, no PATH, no home. It is left when
// its hosts carry traffic and the first cable is pulled.
func TestDemoFromATarball(t *testing.T) {
	nstest.Require(t, "root", "userns", "veth", "bridge")
	bin := rig.Programs(t)
	var out rig.Journal
	cmd := asNobody(exec.Command(bin+"/yoke", "demo"))
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = []string{}, "/", &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	nstest.Eventually(t, 6*waitTime, func() bool {
		return strings.Contains(out.String(), "X  X") || len(ended) > 0
	}, "the first cable to be pulled; it printed\n%s", &out)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatalf("it ended with %v:\n%s", <-ended, &out)
	}
	if err := <-ended; rig.ExitCode(err) != 130 {
		t.Errorf("it ended with %v:\n%s", err, &out)
	}
}

func TestFirstScreen(t *testing.T) {
	nstest.Require(t, "root") // for the programs are built
	bin := rig.Programs(t)
	text, err := exec.Command(bin + "/yoke").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "  yoke "); ok {
			commands = append(commands, strings.Fields(rest)[0])
		}
	}
	if got := strings.Join(commands, " "); got != "demo up status" {
		t.Errorf("the first screen has %s:\n%s", got, text)
	}
}

// A lab, broken where one likes, with pictures before and after.
func TestLabRunBreak(t *testing.T) {
	nstest.Require(t, "root", "veth", "bridge", "bpf")
	bin := rig.Programs(t)
	run := func(code int, words ...string) string {
		out, err := exec.Command(bin+"/yoke", append([]string{"lab", "run", "two-switches"}, words...)...).CombinedOutput()
		if rig.ExitCode(err) != code {
			t.Errorf("%v: %v\n%s", words, err, out)
		}
		return string(out)
	}
	out := run(0, "--break", "isl")
	says(t, out, "[s1] --- isl ---------", "pull cable isl", "--- isl --X  X---", "plug cable isl")
	says(t, run(1, "--break", "c7"), "there is no such cable", "break one of c1, c2, c3, isl")
}
