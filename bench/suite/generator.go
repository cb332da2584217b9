package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batch is how many frames one system call sends.
const batch = 64

// generator sends ready-made frames out of an interface through a packet socket, by the
// way that frames of the system take (past no qdisc and no tc program).
type generator struct {
	fd   int
	msgs [batch]mmsghdr
	iovs [batch]unix.Iovec
}

// mmsghdr is struct mmsghdr of sendmmsg(2), which x/sys does not have.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
	_   [4]byte
}

// newGenerator opens a generator on an interface of the host. The frames go round.
func newGenerator(h *host, name string, frames [][]byte) (*generator, error) {
	index, err := h.index(name)
	if err != nil {
		return nil, err
	}
	g := &generator{fd: -1}
	err = h.Do(func() (err error) {
		// Protocol 0 receives nothing.
		if g.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0); err != nil {
			return fmt.Errorf("packet socket: %w", err)
		}
		if err := unix.Bind(g.fd, &unix.SockaddrLinklayer{Ifindex: index}); err != nil {
			return fmt.Errorf("packet socket on %s: %w", name, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range g.msgs {
		f := frames[i%len(frames)]
		g.iovs[i].Base = &f[0]
		g.iovs[i].SetLen(len(f))
		g.msgs[i].hdr.Iov = &g.iovs[i]
		g.msgs[i].hdr.SetIovlen(1)
	}
	return g, nil
}

func (g *generator) close() { _ = unix.Close(g.fd) }

// run sends for at least d and returns the nanoseconds that a frame took.
func (g *generator) run(d time.Duration) (float64, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	frames := 0
	start := time.Now()
	for time.Since(start) < d {
		n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(g.fd), uintptr(unsafe.Pointer(&g.msgs[0])), batch, 0, 0, 0)
		switch errno {
		case 0:
			frames += int(n)
		case unix.ENOBUFS, unix.EAGAIN:
		default:
			return 0, fmt.Errorf("send frames: %w", errno)
		}
	}
	runtime.KeepAlive(g)
	return float64(time.Since(start).Nanoseconds()) / float64(frames), nil
}

// smallFrames makes n frames of 64 bytes with FCS (60 without), UDP over IPv4 of n flows,
// to an address that nobody has, so that the far end drops them early and alike.
func smallFrames(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		f := make([]byte, 60)
		copy(f, net.HardwareAddr{2, 0, 0, 0, 0xff, 0xfe})
		copy(f[6:], net.HardwareAddr{2, 0, 0, 0, 0, 1})
		binary.BigEndian.PutUint16(f[12:], unix.ETH_P_IP)
		ip := f[14:]
		ip[0], ip[8], ip[9] = 0x45, 64, unix.IPPROTO_UDP
		binary.BigEndian.PutUint16(ip[2:], 46)
		copy(ip[12:], []byte{192, 0, 2, 1})
		copy(ip[16:], []byte{192, 0, 2, 2})
		binary.BigEndian.PutUint16(ip[20:], uint16(10000+i))
		binary.BigEndian.PutUint16(ip[22:], 9)
		binary.BigEndian.PutUint16(ip[24:], 26)
		out[i] = f
	}
	return out
}
