package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
)

// codeServed is the code of a refusal because another daemon is there.
const codeServed = "already-served"

// lockName is the file in the state directory that its daemon holds locked.
const lockName = "yoked.lock"

// lockState makes the state directory and locks it for this process, waiting so long
// for one that holds it. The kernel lets go of the lock when the process ends, however
// it ends.
func lockState(dir string, within time.Duration) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, notAllowed(fmt.Errorf("make state directory: %w", err), dir)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, notAllowed(fmt.Errorf("lock state directory: %w", err), dir)
	}
	if err := tryLock(f, within); err != nil {
		defer f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, &agg.Problem{Code: codeServed, Object: dir, Rule: "is the state directory of another yoked" + holder(f),
				Remedy: "use that one (`yoke status`), or start this one beside it with `yoked --state-dir DIR --socket DIR/yoke.sock`"}
		}
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	if err := f.Truncate(0); err != nil {
		return nil, errors.Join(fmt.Errorf("lock state directory: %w", err), f.Close())
	}
	_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock state directory: %w", err), f.Close())
	}
	return f, nil
}

// tryLock waits a little for a process that is being killed: until its memory is freed
// it holds what it held.
func tryLock(f *os.File, within time.Duration) error {
	for end := time.Now().Add(within); ; time.Sleep(lockWithin / 100) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) || time.Now().After(end) {
			return err
		}
	}
}

// holder names the process that wrote itself into the lock.
func holder(f *os.File) string {
	text := make([]byte, 16)
	n, _ := f.ReadAt(text, 0) // as much as there is
	if pid := strings.TrimSpace(string(text[:n])); pid != "" {
		return ", process " + pid
	}
	return ""
}

// notAllowed turns a missing permission into a refusal that says what works without.
func notAllowed(err error, object string) error {
	if !errors.Is(err, os.ErrPermission) {
		return err
	}
	return &agg.Problem{Code: "not-permitted", Object: object, Rule: err.Error(),
		Remedy: "run `sudo yoked`; `yoke demo` works without any privilege"}
}
