package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// daemon is a yoked of its own in one host.
type daemon struct {
	host *host
	bin  string
	dir  string
	cmd  *exec.Cmd
	// notices is where its unit would hear that it is alive, nil where nobody wants to.
	notices *net.UnixConn
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
	if s.watched {
		if err := d.watch(); err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
	}
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

// watch has the daemon prove that it is alive, as often as under its unit, and takes its word.
func (d *daemon) watch() (err error) {
	path := filepath.Join(d.dir, "notify")
	if d.notices, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"}); err != nil {
		return fmt.Errorf("listen for the watchdog: %w", err)
	}
	d.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+path, fmt.Sprintf("WATCHDOG_USEC=%d", watchdogOfUnit.Microseconds()), "WATCHDOG_PID=")
	go func() { _, _ = io.Copy(io.Discard, d.notices) }() // until it is closed
	return nil
}

// watchdogOfUnit is WatchdogSec of yoked.service.
const watchdogOfUnit = 30 * time.Second

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
	if d.notices != nil {
		d.notices.Close()
	}
	_ = os.RemoveAll(d.dir)
}
