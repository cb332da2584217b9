package user_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
)

// nobody is a user without any privilege.
const nobody = 65534

// TestOrdinaryUser runs this package's tests again as an ordinary user who is root only
// of a user namespace of its own.
func TestOrdinaryUser(t *testing.T) {
	nstest.Require(t, "userns")
	cmd := exec.CommandContext(t.Context(), "unshare", "-Urn", copyOfSelf(t), "-test.v",
		"-test.run", "^Test(CarriesTraffic|GuardMovesFramesOfADeadPort|PortsOwnStackSendsNothing|NextDaemonGoesOn)$")
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "TMPDIR="+userDir(t))
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "SKIP") || strings.Count(string(out), "--- PASS") != 4 {
		t.Errorf("something was left out:\n%s", out)
	}
	if testing.Verbose() {
		t.Log(string(out))
	}
}

// copyOfSelf is the test binary where an ordinary user may read it.
func copyOfSelf(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(userDir(t), "user.test")
	if err := os.WriteFile(path, b, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// userDir is a directory that an ordinary user can write to.
func userDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "yoke-user") //nolint:usetesting // t.TempDir is below a directory that only root may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}
