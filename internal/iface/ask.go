package iface

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// answerLimit is how long an answer may take. It is there when the request returns; a
// kernel that breaks this must not hang us.
const answerLimit = 60 // seconds

// Request sends a request about something that belongs to an interface, and returns the
// bodies of the answers of one kind, or of all where it is 0. It acts in the calling
// thread's namespace.
func Request(req *nl.NetlinkRequest, answer uint16) ([][]byte, error) { return execute(req, answer) }

// execute sends a request and returns the bodies of the answers of one kind, or of all
// where it is 0.
func execute(req *nl.NetlinkRequest, answer uint16) (out [][]byte, err error) {
	err = ask(req, func(m syscall.NetlinkMessage) bool {
		if answer == 0 || m.Header.Type == answer {
			out = append(out, m.Data)
		}
		return true
	})
	return out, err
}

// ask sends a request by a socket of its own, in the calling thread's namespace, and hands
// over each answer, until there are no more or each wants none. The socket is a bare one:
// what a poller, deadlines and room for the longest answer cost is more than all the rest,
// and there are some hundred requests in the life of a port.
func ask(req *nl.NetlinkRequest, each func(syscall.NetlinkMessage) (more bool)) error {
	fd, err := openSocket()
	if err != nil {
		return fmt.Errorf("netlink socket: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, req.Serialize(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	for interrupted := false; ; {
		messages, err := receive(fd)
		if err != nil {
			return err
		}
		for _, m := range messages {
			if m.Header.Seq != req.Seq {
				continue
			}
			interrupted = interrupted || m.Header.Flags&unix.NLM_F_DUMP_INTR != 0
			last := m.Header.Type == unix.NLMSG_DONE || m.Header.Type == unix.NLMSG_ERROR
			if err := errorOf(m); last && err != nil {
				return err
			}
			if !last {
				if !each(m) {
					return nil
				}
				last = m.Header.Flags&unix.NLM_F_MULTI == 0
			}
			if last && interrupted {
				return netlink.ErrDumpInterrupted
			}
			if last {
				return nil
			}
		}
	}
}

// openSocket opens one with strict checking, which makes the kernel heed an nsid in a dump;
// kernels before 4.20 lack it and the other namespaces' dumps with it.
func openSocket() (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return -1, err
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, 1)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: answerLimit}); err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

// receive reads what the kernel sent at once, into a buffer of just that length.
func receive(fd int) ([]syscall.NetlinkMessage, error) {
	var n int
	err := again(func() (err error) {
		n, _, err = unix.Recvfrom(fd, nil, unix.MSG_PEEK|unix.MSG_TRUNC)
		return err
	})
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	if err := again(func() (err error) { n, err = unix.Read(fd, b); return err }); err != nil {
		return nil, err
	}
	return syscall.ParseNetlinkMessage(b[:n])
}

// again repeats a system call that a signal interrupts.
func again(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// errorOf reads the negated errno of an NLMSG_ERROR, or of an NLMSG_DONE that has one.
func errorOf(m syscall.NetlinkMessage) error {
	if len(m.Data) < 4 {
		return nil
	}
	if errno := int32(nl.NativeEndian().Uint32(m.Data)); errno != 0 {
		return unix.Errno(-errno)
	}
	return nil
}
