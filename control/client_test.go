package control

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

func contains(s, sub string) bool { return strings.Contains(s, sub) }

func TestNoDaemonSaysHowToStartOne(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	_, err := NewClient(socket).List(context.Background())
	if !HasCode(err, CodeNoDaemon) || !contains(err.Error(), "start it with `sudo yoked --socket "+socket) {
		t.Errorf("got %v", err)
	}
}

func TestStaleSocketIsNoDaemon(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	if _, err := NewClient(socket).List(context.Background()); !HasCode(err, CodeNoDaemon) {
		t.Errorf("got %v", err)
	}
}
