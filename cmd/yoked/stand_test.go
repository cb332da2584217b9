package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

const twoHosts = `version: 1
name: two
hosts:
  a: {addresses: {p1: [10.0.0.1/24]}}
  b: {addresses: {p1: [10.0.0.2/24]}}
cables: {c1: {ends: ["a:p1", "b:p1"]}}
duration: 1s
`

// stand is a directory for standing labs of one file, lab.yaml.
type stand struct {
	t        *testing.T
	bin, dir string
}

func newStand(t *testing.T, file string) stand {
	t.Helper()
	nstest.Require(t, "root", "veth")
	s := stand{t, rig.Programs(t), t.TempDir()}
	if err := os.WriteFile(s.path("lab.yaml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s stand) path(name string) string { return filepath.Join(s.dir, name) }

func (s stand) command(words ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, "yoked"), append([]string{"lab"}, words...)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+s.dir, "YOKE_LAB_DIR="+s.path("labs"))
	return cmd
}

func (s stand) must(words ...string) string {
	s.t.Helper()
	out, err := s.command(words...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("lab %v: %v\n%s", words, err, out)
	}
	return strings.TrimSpace(string(out))
}

// What runs in a lab's hosts ends with the lab, also what went into the background and what
// does not heed a polite word.
func TestDownEndsWhatRuns(t *testing.T) {
	s := newStand(t, twoHosts)
	s.must("up", s.path("lab.yaml"))
	t.Cleanup(func() { _ = s.command("down").Run() })
	background := s.must("exec", "a", "sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo $!")
	stubborn := s.command("exec", "b", "sh", "-c", "trap '' TERM; echo here; sleep 1000; sleep 1000")
	out, err := stubborn.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := stubborn.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "here\n" {
		t.Fatalf("%q, %v", line, err)
	}
	s.must("down")
	_ = stubborn.Wait()
	if code := stubborn.ProcessState.ExitCode(); code != 128+int(syscall.SIGKILL) {
		t.Errorf("the stubborn program's exit code is %d", code)
	}
	if _, err := os.Stat("/proc/" + background + "/ns/net"); err == nil {
		t.Errorf("process %s still runs", background)
	}
}

// Ctrl-C while a lab is built leaves no lab. This one would never stand, for want of a port.
func TestUpIsInterrupted(t *testing.T) {
	s := newStand(t, strings.Replace(twoHosts, "a: {addresses: {p1: [10.0.0.1/24]}}", "a: {aggregates: {bond0: {plane: user, min_links: 2, ports: [p1]}}}", 1))
	cmd := s.command("up", s.path("lab.yaml"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for {
		if found, _ := filepath.Glob(s.path("labs/two.sock")); len(found) > 0 {
			break
		}
		if t.Context().Err() != nil {
			t.Fatal("it does not begin")
		}
		time.Sleep(time.Millisecond)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
		t.Errorf("it ended with %v", cmd.ProcessState)
	}
	if out := s.must("list"); strings.Contains(out, "stands now") {
		t.Errorf("it stands:\n%s", out)
	}
	if left, _ := filepath.Glob(s.path("yoke-*")); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}

// A second Ctrl-C ends what has not ended on the first.
func TestSecondInterruptEnds(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(rig.Programs(t), "yoked"), "lab", "run", pipe)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for { // until it reads, so that it has heard of signals
		f, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			defer f.Close()
			break
		}
		if !errors.Is(err, syscall.ENXIO) {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	for {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
			if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || ws.Signal() != syscall.SIGINT {
				t.Errorf("it ended with %v", cmd.ProcessState)
			}
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}
