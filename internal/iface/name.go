package iface

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// indexRequest is struct ifreq with an ifindex (linux/if.h).
type indexRequest struct {
	name  [unix.IFNAMSIZ]byte
	index int32
	_     [20]byte
}

// NameOf tells the name of an interface of the calling thread's namespace, with errors as
// ByIndex. Of all questions about an interface it is the one that waits for nobody: the
// others need the lock of all network configuration.
func NameOf(index int) (string, error) {
	// Any kind of socket will do.
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return "", fmt.Errorf("netlink socket: %w", err)
	}
	defer unix.Close(fd)
	r := indexRequest{index: int32(index)}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCGIFNAME, uintptr(unsafe.Pointer(&r))); errno != 0 {
		return "", fmt.Errorf("read the name of interface %d: %w", index, errno)
	}
	return unix.ByteSliceToString(r.name[:]), nil
}
