package lab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// relay carries frames between the two devices in the middle of a cable, through this
// process, and does to them what its harm says. Frames keep their offload metadata, so that TCP
// behaves as on a cable without a relay.
type relay struct {
	fds  [2]int
	taps [2]*tap
	harm [2]atomic.Pointer[harm] // by the side the frame comes from
	stop atomic.Bool
	wg   sync.WaitGroup
	once sync.Once
}

const (
	// vnetHeaderLen is sizeof(struct virtio_net_hdr).
	vnetHeaderLen = 10
	// relayFrameMax holds the largest offloaded frame with its headers.
	relayFrameMax = 1<<16 + 256
	// relayHeldMax bounds the frames on hold in one direction: three seconds of a fast stream,
	// since who releases them may be late.
	relayHeldMax = 16384
)

// newRelay makes a relay between two devices in the middle, or taps in their place.
func newRelay(s *space, taps [2]*tap) (*relay, error) {
	r := &relay{fds: [2]int{-1, -1}, taps: taps}
	err := s.do(func() error {
		for i, device := range middleDevices {
			if taps[i] != nil {
				r.fds[i] = taps[i].fd
				continue
			}
			fd, err := openPacketSocket(device)
			if err != nil {
				return fmt.Errorf("open %s: %w", device, err)
			}
			r.fds[i] = fd
		}
		return nil
	})
	if err != nil {
		r.closeSockets()
		return nil, err
	}
	for i := range r.fds {
		r.harm[i].Store(&harm{})
		r.wg.Add(1)
		go r.carry(i)
	}
	return r, nil
}

func openPacketSocket(device string) (int, error) {
	ifi, err := net.InterfaceByName(device)
	if err != nil {
		return -1, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	timeout := unix.NsecToTimeval((50 * time.Millisecond).Nanoseconds())
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1),
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1),
		unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP,
			&unix.PacketMreq{Ifindex: int32(ifi.Index), Type: unix.PACKET_MR_PROMISC}),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: bigEndian16(unix.ETH_P_ALL), Ifindex: ifi.Index}),
	)
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	growBuffers(fd)
	return fd, nil
}

// growBuffers asks for large buffers, by privilege where there is one.
func growBuffers(fd int) {
	const size = 8 << 20
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, size)
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, size) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, size)
	}
}

func bigEndian16(v uint16) uint16 { return v<<8 | v>>8 }

// carry moves frames from one side to the other until the relay is closed.
func (r *relay) carry(from int) {
	defer r.wg.Done()
	l := lane{
		to: r.fds[1-from], held: make(chan heldFrame, relayHeldMax),
		dice: rand.New(rand.NewPCG(1, uint64(from))), // the same in every run
	}
	r.wg.Add(1)
	go r.release(l.to, l.held)
	defer close(l.held)

	buffer := make([]byte, vnetHeaderLen+relayFrameMax)
	for !r.stop.Load() {
		n, err := r.read(from, buffer)
		if err != nil || n <= vnetHeaderLen { // timed out, or the device is down
			l.letPass()
			continue
		}
		l.take(*r.harm[from].Load(), buffer[:n])
	}
}

// read waits a moment for a frame.
func (r *relay) read(from int, buffer []byte) (int, error) {
	if r.taps[from] != nil {
		if ready, err := unix.Poll([]unix.PollFd{{Fd: int32(r.fds[from]), Events: unix.POLLIN}}, 50); ready == 0 {
			return 0, err
		}
	}
	return unix.Read(r.fds[from], buffer)
}

// release sends held frames when they are due.
func (r *relay) release(to int, held <-chan heldFrame) {
	defer r.wg.Done()
	for f := range held {
		time.Sleep(time.Until(f.due))
		if !r.stop.Load() {
			_, _ = unix.Write(to, f.data)
		}
	}
}

// set harms frames that come from one side.
func (r *relay) set(side int, h harm) { r.harm[side].Store(&h) }

func (r *relay) close() {
	r.once.Do(func() {
		r.stop.Store(true)
		r.wg.Wait()
		r.closeSockets()
	})
}

func (r *relay) closeSockets() {
	for i, fd := range r.fds {
		if fd >= 0 && r.taps[i] == nil {
			_ = unix.Close(fd)
		}
	}
}
