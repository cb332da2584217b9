package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// wordsVariable makes this test's own program be yoke, with these words.
const wordsVariable = "YOKE_TEST_WORDS"

func TestMain(m *testing.M) {
	if words := os.Getenv(wordsVariable); words != "" {
		os.Args = append(os.Args[:1], strings.Fields(words)...)
		main()
	}
	os.Exit(m.Run())
}

// pipe is a file that nobody writes, so that whoever reads it waits.
func pipe(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// begun waits until somebody reads the pipe.
func begun(t *testing.T, name string) {
	t.Helper()
	for {
		f, err := os.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			t.Cleanup(func() { f.Close() })
			return
		}
		if !errors.Is(err, syscall.ENXIO) || t.Context().Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestReplayIsInterrupted(t *testing.T) {
	name := pipe(t)
	ctx, cancel := context.WithCancel(t.Context())
	code := make(chan int)
	go func() { code <- run(ctx, []string{"replay", name}, io.Discard, io.Discard) }()
	begun(t, name)
	cancel()
	if got := <-code; got != exitInterrupted {
		t.Errorf("exit code %d", got)
	}
}

// A command that does not heed the first Ctrl-C is ended by one of the next.
func TestSecondInterruptEnds(t *testing.T) {
	name := pipe(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), wordsVariable+"=diff "+name)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	begun(t, name)
	for {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
			if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !ws.Signaled() || ws.Signal() != syscall.SIGINT {
				t.Errorf("it ended with %v", cmd.ProcessState)
			}
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}
