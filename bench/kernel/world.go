package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// ports are the cables' names at both ends.
var ports = [2]string{"eth0", "eth1"} //nolint:gochecknoglobals // a constant in all but syntax

// world is three hosts: near has the aggregate's ports, far the other ends of their
// cables, and other is where an aggregate can be moved to.
type world struct {
	near, far, other *host
	// programs is where yoke and yoked are, dir where they keep their state.
	programs, dir string
	// log is what was run since it was last emptied.
	log []string
	// servants are the running daemons, by name.
	servants map[string]*exec.Cmd
}

func newWorld(programs string) (w *world, err error) {
	w = &world{programs: programs, servants: map[string]*exec.Cmd{}}
	if w.dir, err = os.MkdirTemp("", "bench-kernel-"); err != nil {
		return nil, err
	}
	for name, h := range map[string]**host{"near": &w.near, "far": &w.far, "other": &w.other} {
		if *h, err = newHost(name, &w.log); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// cables lays two veth pairs between near and far.
func (w *world) cables() error {
	w.note("ip link add eth0 type veth peer name eth0 netns far; ip link add eth1 type veth peer name eth1 netns far")
	for _, name := range ports {
		if err := cable(w.near, w.far, name); err != nil {
			return err
		}
	}
	return errors.Join(w.near.ip("link set lo up", "link set eth0 up", "link set eth1 up"),
		w.far.ip("link set lo up", "link set eth0 up", "link set eth1 up"))
}

func (w *world) note(line string) { w.log = append(w.log, "near: "+line) }

// ran returns the command lines since it was last called.
func (w *world) ran() (log []string) {
	log, w.log = w.log, nil
	return log
}

// start runs a daemon in a host, with its output in a file.
func (w *world) start(h *host, name, program string, args ...string) error {
	h.note(append([]string{filepath.Base(program)}, append(args, "&")...)...)
	out, err := os.Create(filepath.Join(w.dir, name+".log"))
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = append(os.Environ(), "YOKE_SOCKET="+w.socket(name))
	if err := h.Do(cmd.Start); err != nil {
		return fmt.Errorf("start %s: %w", program, err)
	}
	w.servants[name] = cmd
	return nil
}

func (w *world) socket(name string) string { return filepath.Join(w.dir, name+".sock") }

// log of a daemon, as a help for whoever reads why something failed.
func (w *world) said(name string) string {
	text, _ := os.ReadFile(filepath.Join(w.dir, name+".log")) // no log says nothing
	if len(text) > 400 {
		text = text[len(text)-400:]
	}
	return string(text)
}

// signal a daemon that runs.
func (w *world) signal(s syscall.Signal, name string) {
	if cmd := w.servants[name]; cmd != nil {
		_ = cmd.Process.Signal(s) // it may have ended
	}
}

// freeze stops all daemons where they are, so that nothing is counted but frames.
func (w *world) freeze() {
	for name := range w.servants {
		w.signal(syscall.SIGSTOP, name)
	}
}

func (w *world) thaw() {
	for name := range w.servants {
		w.signal(syscall.SIGCONT, name)
	}
}

// stop ends a daemon and waits for it.
func (w *world) stop(name string) {
	w.signal(syscall.SIGTERM, name)
	if cmd := w.servants[name]; cmd != nil {
		_ = cmd.Wait() // its status is that of the signal
	}
	delete(w.servants, name)
}

// yoked starts Yoke's daemon in a host, if it does not run, and waits until it answers.
func (w *world) yoked(h *host) error {
	name := "yoked-" + h.name
	if w.servants[name] != nil {
		return nil
	}
	err := w.start(h, name, filepath.Join(w.programs, "yoked"), "--socket", w.socket(name),
		"--state-dir", filepath.Join(w.dir, name+".state"), "--config", filepath.Join(w.dir, "none"))
	if err != nil {
		return err
	}
	return w.await(time.Minute, "yoked to answer", func() bool {
		_, err := os.Stat(w.socket(name))
		return err == nil
	})
}

// yoke runs the command against the daemon of a host.
func (w *world) yoke(h *host, args ...string) error {
	h.note(append([]string{"yoke"}, args...)...)
	err := h.quiet("", filepath.Join(w.programs, "yoke"), append([]string{"--socket", w.socket("yoked-" + h.name)}, args...)...)
	if err != nil {
		return err
	}
	return nil
}

// await waits in virtual time, of which waiting costs none of ours.
func (w *world) await(limit time.Duration, what string, cond func() bool) error {
	for end := now() + limit; !cond(); time.Sleep(50 * time.Millisecond) {
		if now() > end {
			return fmt.Errorf("waited %v for %s", limit, what)
		}
	}
	return nil
}

func (w *world) close() {
	w.thaw()
	for name := range w.servants {
		w.stop(name)
	}
	for _, h := range []*host{w.near, w.far, w.other} {
		h.close()
	}
	_ = os.RemoveAll(w.dir)
}
