package user

import (
	"errors"
	"fmt"
	"math"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/afpacket"
)

// socket sends and receives frames on one interface. What it sends skips tc and the
// interface's queue, and is refused at once where there is no carrier.
//
// It is two packet sockets, for short and for long frames: 64 KiB for each frame would
// make a ring that is big in memory and holds few frames. The kernel stamps each frame
// with the time, and next returns them in that order.
type socket struct {
	ifindex int
	short   *packetSocket
	long    *packetSocket
	// taken are the frames that next has returned since the last release.
	takenShort, takenLong int
}

// openSocket makes a socket in the network namespace of the calling thread.
func openSocket(ifindex int, o Options) (*socket, error) {
	options := map[int]int{
		unix.PACKET_VNET_HDR:        1,
		unix.PACKET_QDISC_BYPASS:    1,
		unix.PACKET_IGNORE_OUTGOING: 1,
	}
	short, err := newPacket()
	if err != nil {
		return nil, err
	}
	long, err := newPacket()
	if err != nil {
		return nil, errors.Join(err, short.close())
	}
	// For a ring the kernel waits for a grace period: for both in the same one.
	var ready sync.WaitGroup
	var shortErr, longErr error
	ready.Go(func() {
		shortErr = short.prepare(ifindex, narrowShape(o.ShortFrames), options, lengthFilter(true))
	})
	longErr = long.prepare(ifindex, wideShape(o.LongFrames), options, lengthFilter(false))
	ready.Wait()
	if err := errors.Join(shortErr, longErr); err != nil {
		return nil, errors.Join(err, short.close(), long.close())
	}
	return &socket{ifindex: ifindex, short: short, long: long}, nil
}

// lengthFilter accepts whole frames on one side of shortFrame.
func lengthFilter(short bool) []unix.SockFilter {
	f := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_LEN},
		{Code: unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K, K: shortFrame, Jt: 1, Jf: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
	if short {
		f[2].K = math.MaxUint32
	} else {
		f[3].K = math.MaxUint32
	}
	return f
}

// next returns the oldest frame that it has not returned yet, or nil. The frame is valid
// until release.
func (s *socket) next() slot {
	short, long := s.short.ring.peek(s.takenShort), s.long.ring.peek(s.takenLong)
	if short != nil && (long == nil || short.before(long)) {
		s.takenShort++
		return short
	}
	if long != nil {
		s.takenLong++
	}
	return long
}

// release gives all frames that next returned back to the kernel.
func (s *socket) release() {
	s.short.ring.release(s.takenShort)
	s.long.ring.release(s.takenLong)
	s.takenShort, s.takenLong = 0, 0
}

// packets appends the sockets to wait for.
func (s *socket) packets(to []*packetSocket) []*packetSocket { return append(to, s.short, s.long) }

// sender is the descriptor to send by.
func (s *socket) sender() int { return s.long.fd }

// lost is the number of frames that found a ring full since the last call.
func (s *socket) lost() uint64 { return s.short.lost() + s.long.lost() }

func (s *socket) close() error { return errors.Join(s.short.close(), s.long.close()) }

// packetSocket is one packet socket with its receive ring.
type packetSocket struct {
	fd   int
	ring *ring
}

func openPacket(ifindex int, shape ringShape, options map[int]int, filter []unix.SockFilter) (*packetSocket, error) {
	p, err := newPacket()
	if err != nil {
		return nil, err
	}
	if err := p.prepare(ifindex, shape, options, filter); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// newPacket makes a socket in the network namespace of the calling thread. By protocol 0 it
// receives nothing until bind names the interface.
func newPacket() (*packetSocket, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	return &packetSocket{fd: fd}, nil
}

func (p *packetSocket) prepare(ifindex int, shape ringShape, options map[int]int, filter []unix.SockFilter) error {
	if err := p.set(ifindex, shape, options, filter); err != nil {
		return fmt.Errorf("packet socket on interface %d: %w", ifindex, err)
	}
	return nil
}

func (p *packetSocket) set(ifindex int, shape ringShape, options map[int]int, filter []unix.SockFilter) (err error) {
	if err := unix.SetsockoptInt(p.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V2); err != nil {
		return fmt.Errorf("TPACKET_V2: %w", err)
	}
	for option, value := range options {
		err := unix.SetsockoptInt(p.fd, unix.SOL_PACKET, option, value)
		if err != nil && !tolerable(option) {
			return fmt.Errorf("option %d: %w", option, err)
		}
	}
	growSendBuffer(p.fd)
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.SetsockoptSockFprog(p.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog); err != nil {
		return fmt.Errorf("filter: %w", err)
	}
	if p.ring, err = newRing(p.fd, shape); err != nil {
		return err
	}
	return unix.Bind(p.fd, &unix.SockaddrLinklayer{Protocol: afpacket.NetworkOrder(unix.ETH_P_ALL), Ifindex: ifindex})
}

// tolerable: PACKET_IGNORE_OUTGOING is from 4.20; readers skip such frames anyway.
func tolerable(option int) bool { return option == unix.PACKET_IGNORE_OUTGOING }

// growSendBuffer asks for room for a batch of 64 KiB segments; without privilege it
// stays at the system's maximum, and bursts beyond it are counted as refused.
func growSendBuffer(fd int) {
	const size = 8 << 20
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, size) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, size) // capped, never refused
	}
}

func (p *packetSocket) close() error {
	var errs []error
	if p.ring != nil {
		errs = append(errs, p.ring.close())
	}
	return errors.Join(append(errs, unix.Close(p.fd))...)
}

// clearError takes the error that a device going down leaves on the socket; while it
// is there, poll returns at once.
func (p *packetSocket) clearError() {
	_, _ = unix.GetsockoptInt(p.fd, unix.SOL_SOCKET, unix.SO_ERROR) // reading it is the purpose
}

// lost is the number of frames that found the ring full since the last call.
func (p *packetSocket) lost() uint64 {
	st, err := unix.GetsockoptTpacketStats(p.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0
	}
	return uint64(st.Drops)
}
