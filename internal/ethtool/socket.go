package ethtool

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Socket carries the ioctls into the network namespace it was opened in. Its methods
// are safe for concurrent use until Close.
type Socket struct {
	fd    int
	names *Names
	// maskWords is the length of the masks of link modes, 0 until the kernel has told.
	maskWords atomic.Int32
	// room is where the kernel writes link settings: a kilobyte and a half for each answer,
	// and the speeds of many interfaces are read for as long as a daemon lives.
	room sync.Pool
}

// Names are the numbers of features, by name: the same for all devices of a kernel. To ask
// for them takes two of three requests, and each waits for the kernel's one lock. The zero
// value knows none; sockets that share one ask once. It is safe for concurrent use.
type Names struct {
	mu      sync.Mutex
	numbers map[string]int
}

// Open makes a socket in the calling thread's network namespace.
func Open() (*Socket, error) { return OpenWith(new(Names)) }

// OpenWith is Open for who opens more than one.
func OpenWith(names *Names) (*Socket, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if errors.Is(err, unix.EAFNOSUPPORT) {
		fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_GENERIC)
	}
	if err != nil {
		return nil, fmt.Errorf("ethtool socket: %w", err)
	}
	return &Socket{fd: fd, names: names}, nil
}

// Close lets go of the socket.
func (s *Socket) Close() error { return unix.Close(s.fd) }

// ifreq is struct ifreq with its data pointer, as ethtool uses it.
type ifreq struct {
	name [unix.IFNAMSIZ]byte
	data unsafe.Pointer
	_    [16]byte
}

// ethtool makes one SIOCETHTOOL; data points to a struct that begins with its command.
func (s *Socket) ethtool(name string, data unsafe.Pointer) error {
	_, err := s.answer(name, data)
	return err
}

// answer is ethtool for commands that say something by the number they return.
func (s *Socket) answer(name string, data unsafe.Pointer) (int, error) {
	req := ifreq{data: data}
	if copy(req.name[:unix.IFNAMSIZ-1], name) < len(name) {
		return 0, unix.ENODEV
	}
	return s.ioctl(unix.SIOCETHTOOL, unsafe.Pointer(&req))
}

func (s *Socket) ioctl(request uintptr, arg unsafe.Pointer) (int, error) {
	n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(s.fd), request, uintptr(arg))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
