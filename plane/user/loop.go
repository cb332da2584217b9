package user

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// loop is a goroutine with a thread of its own that sleeps in poll until a ring has
// frames or somebody wakes it.
type loop struct {
	// mu is held while a batch is in hand. Who has taken a socket out of the published
	// state and then locks mu once may close the socket: nobody uses it any more.
	mu   sync.Mutex
	wake int // eventfd
	done chan struct{}
	stop bool // guarded by mu
}

// worker is what a loop runs.
type worker interface {
	// batch handles what is there, and reports whether there was anything.
	batch() bool
	// sockets appends those to wait for.
	sockets(to []*packetSocket) []*packetSocket
}

func startLoop(w worker) (*loop, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	l := &loop{wake: fd, done: make(chan struct{})}
	go l.run(w)
	return l, nil
}

func (l *loop) run(w worker) {
	defer close(l.done)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var fds []unix.PollFd
	var socks []*packetSocket
	for {
		l.mu.Lock()
		stop, busy := l.stop, !l.stop && w.batch()
		if !busy {
			socks = w.sockets(socks[:0])
			fds = append(fds[:0], unix.PollFd{Fd: int32(l.wake), Events: unix.POLLIN})
			for _, s := range socks {
				fds = append(fds, unix.PollFd{Fd: int32(s.fd), Events: unix.POLLIN})
			}
		}
		l.mu.Unlock()
		if stop {
			return
		}
		if !busy {
			l.sleep(fds, socks)
		}
	}
}

func (l *loop) sleep(fds []unix.PollFd, socks []*packetSocket) {
	if _, err := unix.Poll(fds, -1); err != nil {
		return // EINTR
	}
	if fds[0].Revents != 0 {
		var b [8]byte
		_, _ = unix.Read(l.wake, b[:]) // resets it
		return                         // sockets may have been closed
	}
	for i, s := range socks {
		if fds[i+1].Revents&unix.POLLERR != 0 {
			s.clearError()
		}
	}
}

// kick makes the loop look at the published state again.
func (l *loop) kick() {
	var b [8]byte
	binary.NativeEndian.PutUint64(b[:], 1)
	_, _ = unix.Write(l.wake, b[:]) // fails only where a wake-up is pending already
}

// settle waits until the loop is through with what was published before the call.
func (l *loop) settle() {
	l.kick()
	l.mu.Lock()
	//lint:ignore SA2001 the empty section is the wait
	l.mu.Unlock()
}

func (l *loop) end() error {
	l.mu.Lock()
	l.stop = true
	l.mu.Unlock()
	l.kick()
	<-l.done
	return unix.Close(l.wake)
}
