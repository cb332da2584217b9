package spine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
)

// snapshot is everything of a namespace that Yoke could leave changed, line by line.
type snapshot []string

// snapshot reads the interfaces with all details, their addresses and groups, routes,
// sysctls, queueing disciplines, filters and programs, and the pins of the namespace.
func (r *host) snapshot() snapshot {
	r.T.Helper()
	var s snapshot
	s.links(r.T, nstest.Command(r.T, r.Here, "ip", "-d", "-j", "link"))
	for _, words := range []string{"ip -o addr", "ip maddr", "ip route show table all", "ip -6 route show table all", "ip neigh", "tc -d qdisc"} {
		args := strings.Fields(words)
		s.add(words, nstest.Command(r.T, r.Here, args[0], args[1:]...))
	}
	links, err := r.Here.Handle().LinkList()
	if err != nil {
		r.T.Fatal(err)
	}
	for _, l := range links {
		for _, way := range []string{"ingress", "egress"} {
			out, _ := r.Here.Output("tc", "filter", "show", "dev", l.Attrs().Name, way) // fails where there is no clsact
			s.add("tc filter "+l.Attrs().Name+" "+way, out)
		}
	}
	if _, err := exec.LookPath("bpftool"); err == nil {
		s.add("bpftool net", nstest.Command(r.T, r.Here, "bpftool", "net"))
	}
	r.Here.Do(func() { s.sysctls(r.T) })
	s.pins(r.T, filepath.Dir(r.PinDir()))
	return s
}

func (s *snapshot) add(what, text string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			*s = append(*s, what+": "+line)
		}
	}
}

// links adds one line for each property of each interface.
func (s *snapshot) links(t *testing.T, text string) {
	t.Helper()
	var links []map[string]any
	if err := json.Unmarshal([]byte(text), &links); err != nil {
		t.Fatalf("ip -j link: %v\n%s", err, text)
	}
	for _, l := range links {
		for key, value := range l {
			*s = append(*s, fmt.Sprintf("ip link: %v %s %v", l["ifname"], key, value))
		}
	}
	slices.Sort(*s)
}

// sysctls adds all of the namespace's own.
func (s *snapshot) sysctls(t *testing.T) {
	t.Helper()
	// The calling thread's own view: a new descriptor, no cache of another's.
	err := filepath.WalkDir("/proc/thread-self/root/proc/sys/net", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
				return nil
			}
			return err
		}
		if d.IsDir() {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			b = nil // write-only, or unset
		}
		*s = append(*s, "sysctl: "+path+" = "+string(bytes.TrimSpace(b)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *snapshot) pins(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			*s = append(*s, "pin: "+path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// differs says which lines are new and which are gone.
func (s snapshot) differs(from snapshot) string {
	var b strings.Builder
	count := map[string]int{}
	for _, line := range from {
		count[line]++
	}
	for _, line := range s {
		if count[line]--; count[line] < 0 {
			fmt.Fprintln(&b, "now   ", line)
		}
	}
	for line, n := range count {
		if n > 0 {
			fmt.Fprintln(&b, "before", line)
		}
	}
	return b.String()
}

// sameAs waits until the namespace is as it was: the kernel settles some things, like
// link-local addresses, in its own time.
func (r *host) sameAs(before snapshot, when string) {
	r.T.Helper()
	difference := "?"
	for end := time.Now().Add(30 * time.Second); difference != "" && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		difference = r.snapshot().differs(before)
	}
	if difference != "" {
		r.T.Errorf("%s the namespace is not as it was:\n%slog of yoked:\n%s", when, difference, r.Log)
	}
}

// settled waits until the kernel changes nothing any more by itself.
func (r *host) settled() snapshot {
	r.T.Helper()
	last := r.snapshot()
	nstest.Eventually(r.T, 20*time.Second, func() bool {
		time.Sleep(200 * time.Millisecond) // duplicate address detection has steps of this kind
		now := r.snapshot()
		same := now.differs(last) == "" && !strings.Contains(strings.Join(now, "\n"), "tentative")
		last = now
		return same
	}, "the namespace to settle")
	return last
}

// descriptors counts the daemon's own descriptors of BPF objects: what it would keep in
// the kernel although no pin and no interface does.
func (r *host) descriptors() int {
	r.T.Helper()
	dir := "/proc/" + strconv.Itoa(r.PID()) + "/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		r.T.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil && strings.Contains(target, "bpf") {
			n++
		}
	}
	return n
}
