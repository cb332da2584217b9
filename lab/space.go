package lab

import (
	"fmt"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// space is a network namespace and the one thread that lives in it. Sockets and
// processes made by a call of do belong to the namespace. It dies with its thread,
// its processes and its descriptor, so a lab that is killed leaves none.
type space struct {
	name  string
	fd    *os.File
	inode uint64
	calls chan func()
	once  sync.Once
	ended chan struct{}
}

// newSpace makes a namespace with its loopback up.
func newSpace(name string) (*space, error) {
	s := &space{name: name, calls: make(chan func()), ended: make(chan struct{})}
	ready := make(chan error)
	go s.serve(ready)
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("make network namespace for %s: %w", name, err)
	}
	return s, nil
}

// serve runs on a thread that is never given back: the thread ends with the goroutine,
// because it stays locked to it.
func (s *space) serve(ready chan<- error) {
	runtime.LockOSThread()
	if unix.Gettid() == os.Getpid() {
		// The main thread stands for the process in /proc and must stay where it was.
		done := make(chan struct{})
		go func() { defer close(done); s.serve(ready) }()
		<-done
		runtime.UnlockOSThread()
		return
	}
	defer close(s.ended)
	if err := s.enter(); err != nil {
		ready <- err
		return
	}
	ready <- nil
	for call := range s.calls {
		call()
	}
}

func (s *space) enter() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return err
	}
	f, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
	if err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		_ = f.Close()
		return err
	}
	s.fd, s.inode = f, st.Ino
	return setUp("lo")
}

// do runs f on the namespace's thread and returns its error. It must not be called
// from within f, nor after close.
func (s *space) do(f func() error) error {
	result := make(chan error, 1)
	s.calls <- func() { result <- f() }
	return <-result
}

// close ends the thread and lets go of the namespace.
func (s *space) close() {
	s.once.Do(func() {
		close(s.calls)
		<-s.ended
		_ = s.fd.Close()
	})
}
