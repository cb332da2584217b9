package nstest

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// memory is where files are that no disk has to write.
const memory = "/dev/shm"

// StateDir is a new directory for a daemon's state, removed with the test. It is in memory, as
// /run is on a host: what a daemon saves waits for no disk that others keep busy, and is there
// when the daemon is killed a moment later. Where nothing is in memory it is on disk.
func StateDir(t testing.TB) string {
	t.Helper()
	var fs unix.Statfs_t
	if unix.Statfs(memory, &fs) != nil || fs.Type != unix.TMPFS_MAGIC || unix.Access(memory, unix.W_OK) != nil {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(memory, "yoke-test-") //nolint:usetesting // t.TempDir is where os.TempDir says
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the daemon's state: %v", err)
		}
	})
	return dir
}
