package netspace

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// threadFile is the namespace of the calling thread.
const threadFile = "/proc/thread-self/ns/net"

// Space is one network namespace, kept alive by a descriptor. Its methods are safe for
// concurrent use until Close.
type Space struct {
	file *os.File
	id   ID
}

// ID tells network namespaces of one boot apart: the device and inode numbers of the
// namespace file.
type ID struct {
	Device, Inode uint64
}

// Current returns the namespace of the calling thread.
func Current() (*Space, error) { return Open(threadFile) }

// Open returns the namespace behind a path such as /proc/PID/ns/net.
func Open(path string) (*Space, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open network namespace: %w", err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		f.Close()
		return nil, fmt.Errorf("stat network namespace %s: %w", path, err)
	}
	return &Space{file: f, id: ID{st.Dev, st.Ino}}, nil
}

// own is the ID of the calling thread's namespace.
func own() (ID, error) {
	var st unix.Stat_t
	err := unix.Stat(threadFile, &st)
	return ID{st.Dev, st.Ino}, err
}

// Create makes a new, empty namespace (its loopback is down) and leaves the caller
// where it was. It needs CAP_SYS_ADMIN in the caller's user namespace.
func Create() (s *Space, err error) {
	home, err := Current()
	if err != nil {
		return nil, err
	}
	defer home.Close()
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("unshare network namespace: %w", err)
	}
	defer func() { home.leave(&err) }()
	return Current()
}

// ID identifies the namespace.
func (s *Space) ID() ID { return s.id }

// FD returns the descriptor, valid until Close.
func (s *Space) FD() int { return int(s.file.Fd()) }

// Close lets go of the descriptor. The namespace lives on while anything else uses it.
func (s *Space) Close() error { return s.file.Close() }

// Do runs fn on a thread that is in the namespace, and leaves the calling goroutine
// where it was. Inside fn the goroutine is locked to its thread; goroutines that fn
// starts are not in the namespace. A thread that cannot be restored is given up with
// the goroutine that holds it. Where the caller is in the namespace already, no
// privilege is needed; otherwise CAP_SYS_ADMIN over it.
func (s *Space) Do(fn func() error) (err error) {
	runtime.LockOSThread()
	if here, err := own(); err == nil && here == s.id { // nearly always, so it costs one call
		defer runtime.UnlockOSThread()
		return fn()
	}
	home, err := Current()
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer home.Close()
	if err := unix.Setns(s.FD(), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter network namespace: %w", err)
	}
	defer func() { home.leave(&err) }()
	return fn()
}

// leave brings the thread back to s and unlocks it. A thread that stays elsewhere
// stays locked, so that the runtime ends it with its goroutine.
func (s *Space) leave(err *error) {
	if back := unix.Setns(s.FD(), unix.CLONE_NEWNET); back != nil {
		if *err == nil {
			*err = fmt.Errorf("return to network namespace: %w", back)
		}
		return
	}
	runtime.UnlockOSThread()
}
