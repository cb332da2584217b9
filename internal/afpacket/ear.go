package afpacket

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/netspace"
)

const (
	ethPSlow = 0x8809
	// prioControl is TC_PRIO_CONTROL (linux/pkt_sched.h): ahead of all data.
	prioControl = 7
	// receiveBuffer holds some hundred LACPDUs.
	receiveBuffer = 64 << 10
	// A port is read at frameRate frames a second after frameBurst at once: LACP needs
	// three. What a flood brings beyond that is lost in the socket, which costs little.
	frameRate  = 200
	frameBurst = 64
	frameLen   = 2048
	macsLen    = 12
)

// Slow speaks slow protocols in one network namespace.
type Slow struct {
	space         *netspace.Space
	control, data int
}

// NewSlow opens what sends in the calling thread's network namespace. It needs
// CAP_NET_RAW and CAP_NET_ADMIN there.
func NewSlow() (_ *Slow, err error) {
	s := &Slow{control: -1, data: -1}
	if s.space, err = netspace.Current(); err != nil {
		return nil, err
	}
	if s.data, err = packetSocket(); err == nil {
		s.control, err = packetSocket()
	}
	if err == nil {
		err = unix.SetsockoptInt(s.control, unix.SOL_SOCKET, unix.SO_PRIORITY, prioControl)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("packet socket of slow protocols: %w", err), s.Close())
	}
	return s, nil
}

// Close lets go of the sockets that send.
func (s *Slow) Close() error {
	for _, fd := range []int{s.control, s.data} {
		if fd >= 0 {
			_ = unix.Close(fd) // nothing is left in it
		}
	}
	return s.space.Close()
}

// packetSocket receives nothing until it is bound to a protocol.
func packetSocket() (int, error) {
	return unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
}

// NetworkOrder is a number whose bytes in memory are those of v in network order, as the
// kernel wants protocols in socket addresses and in handles of tc filters.
func NetworkOrder(v uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], v)
	return binary.NativeEndian.Uint16(b[:])
}

// Listen returns an ear that hears nothing yet.
func (s *Slow) Listen() *Ear {
	return &Ear{slow: s, ports: map[int]*earPort{}, wake: make(chan struct{}, 1)}
}

// Ear hears slow protocols on some interfaces. Its methods are for one goroutine.
type Ear struct {
	slow  *Slow
	ports map[int]*earPort
	order []int
	wake  chan struct{}
	mu    sync.Mutex
	queue []arrival
}

type arrival struct {
	index int
	frame []byte
}

// earPort is the socket of one interface. A goroutine waits for frames there, and both it
// and the ear read them: who steps timers must have read all that came before.
type earPort struct {
	ear   *Ear
	index int
	file  *os.File
	raw   syscall.RawConn
	mu    sync.Mutex
	deaf  bool // it is to read no more
	// tokens is the number of frames that may be read now, as of filled.
	tokens float64
	filled time.Time
	// unread are the frames that the socket had no room for.
	unread uint64
	buf    [frameLen]byte
}

// Hear listens on exactly these interfaces. Whether they receive the group address of slow
// protocols is the affair of whoever made them ports, so that it outlives the process.
func (e *Ear) Hear(indexes []int) error {
	var errs []error
	for index, p := range e.ports {
		if !slices.Contains(indexes, index) {
			delete(e.ports, index)
			p.leave()
		}
	}
	for _, index := range indexes {
		if e.ports[index] != nil {
			continue
		}
		p, err := e.open(index)
		if err != nil {
			errs = append(errs, fmt.Errorf("listen to slow protocols on interface %d: %w", index, err))
			continue
		}
		e.ports[index] = p
		go p.run()
	}
	e.order = slices.Clone(indexes)
	return errors.Join(errs...)
}

// leave ends the listening of one port at once. Its socket is closed in the background: the
// kernel waits for a grace period then, which under load takes tens of milliseconds.
func (p *earPort) leave() {
	p.mu.Lock()
	p.deaf = true
	p.mu.Unlock()
	go p.file.Close()
}

func (e *Ear) open(index int) (p *earPort, err error) {
	err = e.slow.space.Do(func() (err error) {
		p, err = e.socket(index)
		return err
	})
	return p, err
}

func (e *Ear) socket(index int) (*earPort, error) {
	fd, err := packetSocket()
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), fmt.Sprintf("slow protocols of interface %d", index))
	raw, err := file.SyscallConn()
	if err == nil {
		err = errors.Join(
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer),
			unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: NetworkOrder(ethPSlow), Ifindex: index}))
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &earPort{ear: e, index: index, file: file, raw: raw, tokens: frameBurst, filled: time.Now()}, nil
}

// Wake receives after frames have come.
func (e *Ear) Wake() <-chan struct{} { return e.wake }

// Take returns the next frame that has come. One that had a VLAN tag has one again, of
// another number.
func (e *Ear) Take() (ifindex int, frame []byte, ok bool) {
	if a, ok := e.pop(); ok {
		return a.index, a.frame, true
	}
	for _, index := range e.order {
		if p := e.ports[index]; p != nil {
			_ = p.raw.Control(func(fd uintptr) { p.read(int(fd)) }) // closed: there is nothing
		}
	}
	a, ok := e.pop()
	return a.index, a.frame, ok
}

func (e *Ear) pop() (arrival, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.queue) == 0 {
		e.queue = nil
		return arrival{}, false
	}
	a := e.queue[0]
	e.queue = e.queue[1:]
	return a, true
}

// run wakes the ear's owner whenever frames have come, until the socket is closed.
func (p *earPort) run() {
	for {
		n, pause := 0, time.Duration(0)
		err := p.raw.Read(func(fd uintptr) bool {
			n, pause = p.read(int(fd))
			return n > 0 || pause > 0
		})
		if err != nil {
			return
		}
		if n > 0 {
			select {
			case p.ear.wake <- struct{}{}:
			default:
			}
		}
		time.Sleep(pause)
	}
}

// read takes what has come into the queue and returns how much that was, and how long the
// port is not to be read because too much comes.
func (p *earPort) read(fd int) (n int, pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deaf {
		return 0, 0
	}
	now := time.Now()
	p.tokens = min(frameBurst, p.tokens+now.Sub(p.filled).Seconds()*frameRate)
	p.filled = now
	for p.tokens >= 1 {
		frame, ok := p.receive(fd)
		if !ok {
			return n, 0
		}
		p.tokens--
		n++
		p.ear.mu.Lock()
		p.ear.queue = append(p.ear.queue, arrival{p.index, frame})
		p.ear.mu.Unlock()
	}
	return n, frameBurst * time.Second / frameRate / 8
}

func (p *earPort) receive(fd int) ([]byte, bool) {
	n, from, err := unix.Recvfrom(fd, p.buf[:], unix.MSG_DONTWAIT)
	if err != nil || n < macsLen {
		return nil, err == nil
	}
	ll, ok := from.(*unix.SockaddrLinklayer)
	return withTag(p.buf[:n], ok && ll.Pkttype == unix.PACKET_OTHERHOST), true
}

// withTag copies the frame. The kernel takes a tag away from one that no VLAN device wants,
// and what is left of it is that a frame to a group is said to be another host's. Such a
// frame is no LACPDU to us, so it gets a tag of no VLAN in particular.
func withTag(frame []byte, others bool) []byte {
	out := slices.Clone(frame)
	if !others || frame[0]&1 == 0 {
		return out
	}
	return slices.Insert(out, macsLen, 0x81, 0, 0x0f, 0xff)
}

// Send transmits a frame at control priority, or behind the data that waits for the
// interface. Errors are those of [Sender.Send].
func (e *Ear) Send(ctx context.Context, ifindex int, frame []byte, behind bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	fd := e.slow.control
	if behind {
		fd = e.slow.data
	}
	if err := unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: ifindex}); err != nil {
		return fmt.Errorf("send a slow protocol frame by interface %d: %w", ifindex, err)
	}
	return nil
}

// Unread returns how many frames were lost on an interface because more came than are
// read, 0 where nothing is listened to.
func (e *Ear) Unread(ifindex int) uint64 {
	p := e.ports[ifindex]
	if p == nil {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.raw.Control(func(fd uintptr) { // closed: there is nothing more
		if s, err := unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			p.unread += uint64(s.Drops) // the kernel begins anew each time
		}
	})
	return p.unread
}

// Close stops listening.
func (e *Ear) Close() error {
	var errs []error
	for _, p := range e.ports {
		errs = append(errs, p.file.Close())
	}
	e.ports, e.order = map[int]*earPort{}, nil
	return errors.Join(errs...)
}
