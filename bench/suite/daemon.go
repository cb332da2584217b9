package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// daemon is a yoked of its own in one host.
type daemon struct {
	host *host
	bin  string
	dir  string
	cmd  *exec.Cmd
}

func startDaemon(ctx context.Context, h *host, s settings, flags ...string) (*daemon, error) {
	bin, err := filepath.Abs(s.bin)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(stateRoot(), "yoke-bench-")
	if err != nil {
		return nil, err
	}
	d := &daemon{host: h, bin: bin, dir: dir}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	defer log.Close()
	d.cmd = exec.Command(filepath.Join(bin, "yoked"), append([]string{"--socket", d.socket(), "--state-dir", filepath.Join(dir, "state"),
		"--config", filepath.Join(dir, "config")}, flags...)...)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	if err := h.Do(d.cmd.Start); err != nil {
		return nil, errors.Join(fmt.Errorf("start yoked: %w", err), os.RemoveAll(dir))
	}
	if err := waitFile(ctx, d.socket()); err != nil {
		text, _ := os.ReadFile(log.Name()) // what it says is a help and no need
		d.stop(ctx)
		return nil, fmt.Errorf("start yoked: %w: %s", err, text)
	}
	return d, nil
}

// stateRoot is where the daemon's state is in memory, as /run is where an init system runs.
func stateRoot() string {
	var s unix.Statfs_t
	for _, dir := range []string{"/run", "/dev/shm"} {
		if unix.Statfs(dir, &s) == nil && s.Type == unix.TMPFS_MAGIC {
			return dir
		}
	}
	return "" // on a disk, where each note of the journal waits for it
}

func (d *daemon) socket() string { return filepath.Join(d.dir, "yoke.sock") }

// yoke runs the command against the daemon, in its host.
func (d *daemon) yoke(ctx context.Context, args ...string) error {
	err := d.host.command(ctx, filepath.Join(d.bin, "yoke"), append([]string{"--socket", d.socket()}, args...)...)
	return err
}

// stop takes all aggregates apart and ends the daemon.
func (d *daemon) stop(ctx context.Context) {
	_ = d.yoke(ctx, "down", "--all") // the namespace goes next
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	_ = d.cmd.Wait() // its exit status is that of the signal
	_ = os.RemoveAll(d.dir)
}
