package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// The demo runs to its end, its table is whole, and nothing of it is left: no process, file,
// pin or namespace. How much it lost is not judged here, since that is the machine's affair too.
func TestDemoRunsToItsEnd(t *testing.T) {
	nstest.Require(t, "root", "veth", "bridge")
	dir := t.TempDir()
	mark := "TMPDIR=" + dir // by which its processes are known
	cmd := exec.Command(filepath.Join(rig.Programs(t), "yoke"), "demo", "--pulls", "2", "--rounds", "1")
	cmd.Env = append(os.Environ(), mark, "XDG_RUNTIME_DIR="+dir)
	var out rig.Journal
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // which has ended where all is well
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	nstest.Eventually(t, 3*time.Minute, func() bool {
		return strings.Contains(out.String(), "X  X") || len(ended) > 0
	}, "the first cable to be pulled; it printed\n%s", &out)
	spaces := holdSpaces(t, processes(mark))
	t.Logf("%d namespaces, %d with pins", len(spaces), len(pinned(spaces)))
	nstest.Eventually(t, 3*time.Minute, func() bool { return len(ended) > 0 }, "the demo to end; it printed\n%s", &out)
	if err := <-ended; err != nil || len(spaces) == 0 {
		t.Fatalf("it had %d namespaces and ended with %v:\n%s", len(spaces), err, &out)
	}
	if rows := tableOf(out.String()); !slices.Equal(rows, demoRows()) {
		t.Errorf("its table has the rows %q:\n%s", rows, &out)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	for what, left := range map[string][]string{
		"processes": processes(mark), "files": files, "pins": pinned(spaces), "users of its namespaces": usersOf(t, spaces),
	} {
		if len(left) > 0 {
			t.Errorf("it left %s: %v", what, left)
		}
	}
}

func demoRows() []string {
	return []string{
		"mode", "plane", "cables pulled (n)", "failover to the peer, median", "worst", "failover from the peer, median", "worst",
		"frames lost to the peer", "frames lost from the peer", "flows moved by a pull", "daemon killed (-9)",
		"cable pulled while it was dead", "next daemon", "cable pulled after that", "throughput to the peer", "throughput from the peer",
	}
}

// tableOf are the names of the table's rows that say something of both aggregates.
func tableOf(text string) (rows []string) {
	_, table, _ := strings.Cut(text, "\nmode ")
	columns := regexp.MustCompile(` {3,}`)
	for line := range strings.Lines("mode " + table) {
		if cells := columns.Split(strings.TrimSpace(line), -1); len(cells) == 3 {
			rows = append(rows, cells[0])
		}
	}
	return rows
}

// processes are the directories in /proc of those that have the word in their environment.
func processes(word string) (out []string) {
	all, _ := filepath.Glob("/proc/[0-9]*") // the pattern is valid
	for _, dir := range all {
		environment, err := os.ReadFile(filepath.Join(dir, "environ"))
		if err == nil && slices.ContainsFunc(bytes.Split(environment, []byte{0}), func(b []byte) bool { return string(b) == word }) {
			out = append(out, dir)
		}
	}
	return out
}

// holdSpaces opens the network namespaces of processes, but for that of this test. While they
// are held their numbers stand for no others.
func holdSpaces(t *testing.T, processes []string) map[uint64]*os.File {
	t.Helper()
	spaces := map[uint64]*os.File{}
	ours, err := spaceOf("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range processes {
		tasks, _ := filepath.Glob(filepath.Join(dir, "task/*/ns/net"))
		for _, path := range tasks {
			f, err := os.Open(path)
			if err != nil {
				continue // it has ended
			}
			t.Cleanup(func() { _ = f.Close() })
			if inode, err := spaceOf("/proc/self/fd/" + strconv.Itoa(int(f.Fd()))); err == nil && inode != ours {
				spaces[inode] = f
			}
		}
	}
	return spaces
}

func spaceOf(path string) (uint64, error) {
	var st unix.Stat_t
	err := unix.Stat(path, &st)
	return st.Ino, err
}

// pinned are the directories of what plane ebpf keeps for the namespaces.
func pinned(spaces map[uint64]*os.File) (out []string) {
	for inode := range spaces {
		dir := "/sys/fs/bpf/yoke/" + strconv.FormatUint(inode, 10)
		if _, err := os.Stat(dir); err == nil {
			out = append(out, dir)
		}
	}
	return out
}

// usersOf are the threads in one of the namespaces, and the mounts of one.
func usersOf(t *testing.T, spaces map[uint64]*os.File) (out []string) {
	t.Helper()
	tasks, _ := filepath.Glob("/proc/[0-9]*/task/*/ns/net")
	for _, path := range tasks {
		if inode, err := spaceOf(path); err == nil && spaces[inode] != nil {
			out = append(out, path)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for inode := range spaces {
		if root := "net:[" + strconv.FormatUint(inode, 10) + "]"; strings.Contains(string(mounts), root) {
			out = append(out, root)
		}
	}
	return out
}
