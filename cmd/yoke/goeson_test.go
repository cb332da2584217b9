package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// silent is a daemon that hears a request and does not answer it.
func silent(t *testing.T) (socket string, heard <-chan struct{}) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	got, end := make(chan struct{}, 1), make(chan struct{})
	srv := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		got <- struct{}{}
		<-end
	})}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		close(end)
		_ = srv.Close()
		<-done
	})
	return socket, got
}

// Who interrupts a change is told that it is not undone; who only asks is not.
func TestInterruptedChangeGoesOn(t *testing.T) {
	for words, told := range map[string]bool{"up bond0 eth1": true, "down bond0": true, "status": false} {
		socket, heard := silent(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		var stderr bytes.Buffer
		code := make(chan int, 1)
		go func() {
			code <- run(ctx, append(strings.Fields(words), "--socket", socket), &bytes.Buffer{}, &stderr)
		}()
		<-heard
		cancel(errors.New("interrupt signal received"))
		if got := <-code; got != exitInterrupted {
			t.Errorf("%s: exit code %d", words, got)
		}
		want := "yoke: interrupted\n"
		if told {
			want = "yoke: interrupted; the daemon goes on with what it was asked for, and `yoke status` tells\n"
		}
		if stderr.String() != want {
			t.Errorf("%s: got %q", words, stderr.String())
		}
	}
}
