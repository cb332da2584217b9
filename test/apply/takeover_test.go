package apply

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

// onlyLink is a host whose addresses and default routes are on eth1, and a router.
func onlyLink(t *testing.T, features ...string) *rig.Rig {
	t.Helper()
	r := rig.NewHost(t, features...)
	for _, n := range []*nstest.NS{r.Here, r.There} {
		n.Do(func() {
			for _, which := range []string{"all", "default"} {
				rig.SetIPv6(t, which, "disable_ipv6", "0")
			}
		})
	}
	r.There.Veth("spare1", r.There, "spare2")
	r.Here.Veth("eth1", r.There, "far1")
	r.Here.Veth("eth2", r.There, "far2")
	r.Bridge(r.There, "br0", "far1", "far2")
	r.There.AddAddr("br0", "192.0.2.2/24")
	r.There.AddAddr("br0", "2001:db8::2/64")
	r.Here.AddAddr("eth1", "192.0.2.1/24")
	r.Here.AddAddr("eth1", "2001:db8::1/64")
	for _, words := range []string{"route add default via 192.0.2.2 metric 100", "route add 198.51.100.0/24 via 192.0.2.9 src 192.0.2.1 table 77",
		"-6 route add default via 2001:db8::2"} {
		nstest.Command(t, r.Here, "ip", strings.Fields(words)...)
	}
	r.Here.MustPing("192.0.2.2")
	r.Here.MustPing("2001:db8::2")
	nstest.Eventually(t, 20*time.Second, func() bool {
		out := nstest.Command(t, r.Here, "ip", "-6", "-o", "addr")
		return strings.Count(out, " fe80::") == 2 && !strings.Contains(out, "tentative")
	}, "the kernel to be done with new interfaces")
	return r
}

// picture is what `ip` shows of the host, without what changes by itself.
func picture(t *testing.T, n *nstest.NS) string {
	t.Helper()
	var b strings.Builder
	for _, words := range []string{"-d -o link", "-o addr", "route show table all", "-6 route show table all", "-o maddr"} {
		b.WriteString(nstest.Command(t, n, "ip", strings.Fields(words)...))
	}
	text := regexp.MustCompile(`(timer|age|expires|valid_lft|preferred_lft) +[\d.]+(sec)?`).ReplaceAllString(b.String(), "$1")
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n")
}

// session is a TCP connection from the router to the host, with a word and an echo every
// few milliseconds.
type session struct {
	t      *testing.T
	name   string
	echoes atomic.Int64
	failed atomic.Value
	conns  []net.Conn
}

func dial(t *testing.T, r *rig.Rig, addr string) *session {
	t.Helper()
	s := &session{t: t, name: addr}
	var l net.Listener
	err := r.Here.Run(func() (err error) {
		l, err = net.Listen("tcp", net.JoinHostPort(addr, "0"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
		}
		accepted <- c
	}()
	var out net.Conn
	err = r.There.Run(func() (err error) {
		out, err = net.Dial("tcp", l.Addr().String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	in := <-accepted
	s.conns = []net.Conn{out, in}
	t.Cleanup(func() { out.Close(); in.Close() })
	go s.echo(in)
	go s.talk(out)
	s.lives("at its beginning")
	return s
}

func (s *session) echo(c net.Conn) {
	b := make([]byte, 64)
	for {
		n, err := c.Read(b)
		if err == nil {
			_, err = c.Write(b[:n])
		}
		if err != nil {
			s.failed.CompareAndSwap(nil, err.Error())
			return
		}
	}
}

func (s *session) talk(c net.Conn) {
	b := make([]byte, 64)
	for {
		_, err := fmt.Fprintf(c, "word %d", s.echoes.Load())
		if err == nil {
			_, err = c.Read(b)
		}
		if err != nil {
			s.failed.CompareAndSwap(nil, err.Error())
			return
		}
		s.echoes.Add(1)
		time.Sleep(2 * time.Millisecond) // the pace of somebody who types
	}
}

// lives fails the test where the session does not go on.
func (s *session) lives(when string) {
	s.t.Helper()
	was, begin := s.echoes.Load(), time.Now()
	nstest.Eventually(s.t, 30*time.Second, func() bool { return s.echoes.Load() > was+5 || s.failed.Load() != nil }, "the session with %s to go on %s", s.name, when)
	if err := s.failed.Load(); err != nil {
		s.t.Fatalf("the session with %s ended %s: %v", s.name, when, err)
	}
	s.t.Logf("%s: goes on %s after %v", s.name, when, time.Since(begin).Round(time.Millisecond))
}

// later is a text that is printed as it is then.
type later struct{ text *string }

func (l later) String() string { return *l.text }

// The link under one's own session becomes a port. Without confirmation everything is as
// it was when the time is over, also where the daemon was killed meanwhile.
func TestTakeOverOfTheOnlyLink(t *testing.T) {
	r := onlyLink(t, "bpf")
	before := picture(t, r.Here)
	sessions := []*session{dial(t, r, "192.0.2.1"), dial(t, r, "2001:db8::1")}
	live := func(when string) {
		t.Helper()
		for _, s := range sessions {
			s.lives(when)
		}
	}
	back := func(how string) {
		t.Helper()
		after := ""
		nstest.Eventually(t, 20*time.Second, func() bool { after = picture(t, r.Here); return after == before }, "everything to be back %s; was\n%s\nis\n%v\nlog:\n%s", how, before, later{&after}, r.Log)
		live(how)
	}
	r.Start()

	out, err := r.Yoke("up", "bond0", "plane=ebpf", "eth1", "eth2")
	if err == nil || !strings.Contains(out, "--take-over --confirm 60s") {
		t.Errorf("without --take-over: %v\n%s", err, out)
	}
	if got := picture(t, r.Here); got != before {
		t.Errorf("a refusal changed something: was\n%s\nis\n%s", before, got)
	}

	const wait = 10 * time.Second
	begun := time.Now()
	out = r.Must("up", "bond0", "plane=ebpf", "eth2", "eth1", "--take-over", "--confirm", wait.String())
	if !strings.Contains(out, "undone in ") {
		t.Errorf("up says\n%s", out)
	}
	if routes := picture(t, r.Here); time.Since(begun) < wait && (!strings.Contains(routes, "default via 192.0.2.2 dev bond0 metric 100") ||
		!strings.Contains(routes, "default via 2001:db8::2 dev bond0") || !strings.Contains(routes, "198.51.100.0/24 via 192.0.2.9 dev bond0 table 77 src 192.0.2.1")) {
		t.Errorf("routes are not moved:\n%s", routes)
	}
	live("over the aggregate")
	back("when nobody confirmed")
	if took := time.Since(begun); took < wait {
		t.Errorf("it was undone after %v already", took)
	}

	r.Must("up", "bond0", "plane=ebpf", "eth1", "eth2", "--take-over", "--confirm", "2s")
	r.Kill()
	live("without a daemon")
	r.Start()
	back("after a restart of the daemon")

	r.Must("up", "bond0", "plane=ebpf", "eth1", "eth2", "--take-over", "--confirm", "1h")
	r.Must("confirm")
	live("confirmed")
	r.There.SetDown("far1") // the cable under the session is pulled now
	live("over the other port")
	r.There.SetUp("far1")
	r.WaitFor(func(s agg.Status) bool { return len(s.Plan.Order) == 2 }, "eth1 to be ready again")
	file := filepath.Join(r.Dir, "bond0.yaml")
	if err := os.WriteFile(file, []byte("name: bond0\nplane: ebpf\nmode: balance-xor\nports: [eth1, eth2]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := r.Yoke("apply", file); err == nil || !strings.Contains(out, "yoke apply --rebuild") {
		t.Errorf("apply without --rebuild: %v\n%s", err, out)
	}
	mac := r.Here.MAC("bond0")
	r.Must("apply", file, "--rebuild")
	live("made anew in another mode")
	if now := r.Here.MAC("bond0"); now.String() != mac.String() {
		t.Errorf("made anew it has the address %v, and had %v", now, mac)
	}
	r.Must("down", "bond0")
	back("after down")

	r.Must("up", "bond0", "plane=ebpf", "eth1", "eth2", "--take-over")
	nstest.Command(t, r.Here, "ip", "link", "delete", "bond0")
	back("after somebody deleted the device")
}
