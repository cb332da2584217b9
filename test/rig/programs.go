package rig

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Main runs a package's tests and removes the programs that they had built. The result is
// the exit code. A copy of the test's program that is to be a relay is that instead.
func Main(m *testing.M) int {
	if from, to, ok := strings.Cut(os.Getenv(relays), " "); ok {
		fmt.Fprintln(os.Stderr, relay(from, to))
		return 1
	}
	code := m.Run()
	if wanted.Load() {
		if dir, _ := programs(); dir != "" {
			_ = os.RemoveAll(dir)
		}
	}
	return code
}

// Programs returns the directory of yoke and yoked, built when the first test wants them.
// YOKE_PROGRAMS names a directory where they are already, as in the virtual machine, which
// cannot build.
func Programs(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("YOKE_PROGRAMS"); dir != "" {
		return dir
	}
	wanted.Store(true)
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// wanted tells Main whether there is a directory to remove.
var wanted atomic.Bool //nolint:gochecknoglobals // Main has nothing else to ask

//nolint:gochecknoglobals // built once for all tests of a process
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "yoke-rig")
	if err != nil {
		return "", err
	}
	// Who has no privilege must reach them too.
	if err := os.Chmod(dir, 0o755); err != nil {
		return dir, err
	}
	build := exec.Command("go", "build", "-o", dir, "github.com/yokelag/yoke/cmd/yoke", "github.com/yokelag/yoke/cmd/yoked")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("build: %w\n%s", err, out)
	}
	return dir, nil
})
