package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// unread is the end of a pipe to write to that is full and that nobody reads.
func unread(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	fd := int(w.Fd()) // which makes it wait, each time
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	for some := make([]byte, 4096); err == nil; {
		_, err = syscall.Write(fd, some)
	}
	if !errors.Is(err, syscall.EAGAIN) {
		t.Fatal(err)
	}
	if err := syscall.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
	return w
}

// A log that nobody reads holds up neither what the daemon does nor its end.
func TestLogThatNobodyReads(t *testing.T) {
	bin, dir := rig.Programs(t), t.TempDir()
	socket := filepath.Join(dir, "yoke.sock")
	cmd := exec.Command(filepath.Join(bin, "yoked"), "--dry", "eth1,eth2", "--socket", socket, "--state-dir", dir, "--config", filepath.Join(dir, "none"))
	cmd.Stderr = unread(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	client := control.NewClient(socket)
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	nstest.Eventually(t, time.Minute, func() bool { _, err := client.Daemon(ctx); return err == nil }, "the daemon to serve")
	if _, err := client.Up(ctx, agg.Spec{Name: "bond0", Ports: []agg.PortSpec{{Name: "eth1"}, {Name: "eth2"}}}); err != nil {
		t.Fatal(err)
	}
	if s, err := client.Status(ctx, "bond0"); err != nil || s.Aggregates[0].Carrying == 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-ctx.Done():
		t.Error("it does not end")
	}
}
