package lab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A probe frame begins with a mark, its stream, its sequence number and the time it
// was sent.
const (
	probeMark       = 0x596f6b65
	probeHeader     = 4 + 4 + 8 + 8
	probePort       = 20000 // the first destination port
	probeSourcePort = 30000 // the first source port
	// warmUp is the sequence number of frames that only open the path.
	warmUp = 1<<64 - 1
)

// Arrival is one received probe frame. Times are in nanoseconds of CLOCK_REALTIME; At
// is the kernel's, taken when the frame came out of the device.
type Arrival struct {
	Seq uint64
	At  int64
}

// stream is a running probe.
type stream struct {
	name      string
	probe     Probe
	id        uint32
	senders   []int // a socket for each flow
	receiver  int
	sent      []int64 // when each frame left, by sequence number; 0 where it did not
	arrivals  []Arrival
	refused   int // frames that the sender's own stack refused
	nextSeq   atomic.Uint64
	late      time.Duration // the worst of all frames; of the sender while it runs
	warm      chan struct{}
	warmOnce  sync.Once
	stopSend  atomic.Bool
	stopRecv  atomic.Bool
	receiving sync.WaitGroup
}

// flowOf is the flow of a frame by its sequence number.
func (p Probe) flowOf(seq uint64) int {
	flows := uint64(max(p.Flows, 1))
	if p.Burst <= 0 {
		return int(seq % flows)
	}
	together := min(uint64(max(p.AtOnce, 1)), flows)
	groups := flows / together
	return int(seq/(together*uint64(p.Burst))%groups*together + seq%together)
}

// openStream opens the sockets in the hosts' namespaces.
func openStream(name string, id int, p Probe, from, to *space) (*stream, error) {
	s := &stream{name: name, probe: p, id: uint32(id), receiver: -1, warm: make(chan struct{})}
	address, err := netip.ParseAddr(p.Address)
	if err != nil {
		return nil, fmt.Errorf("probe %s: %w", name, err)
	}
	if err := to.do(func() error { return s.openReceiver(address) }); err != nil {
		s.closeSockets()
		return nil, fmt.Errorf("probe %s: receive: %w", name, err)
	}
	if err := from.do(func() error { return s.openSenders(address) }); err != nil {
		s.closeSockets()
		return nil, fmt.Errorf("probe %s: send: %w", name, err)
	}
	return s, nil
}

func (s *stream) port() int { return probePort + int(s.id) }

func (s *stream) openReceiver(to netip.Addr) error {
	fd, err := unix.Socket(family(to), unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	s.receiver = fd
	growBuffers(fd)
	timeout := unix.NsecToTimeval((20 * time.Millisecond).Nanoseconds())
	return errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout),
		unix.Bind(fd, socketAddress(to, s.port())),
	)
}

func (s *stream) openSenders(to netip.Addr) error {
	any4, any6 := netip.IPv4Unspecified(), netip.IPv6Unspecified()
	for flow := range s.probe.Flows {
		fd, err := unix.Socket(family(to), unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return err
		}
		s.senders = append(s.senders, fd)
		growBuffers(fd)
		local := any6
		if to.Is4() {
			local = any4
		}
		// Streams share a host, so each has source ports of its own.
		source := probeSourcePort + int(s.id)*maxFlows + flow
		if err := errors.Join(
			unix.Bind(fd, socketAddress(local, source)),
			unix.Connect(fd, socketAddress(to, s.port())),
		); err != nil {
			return err
		}
	}
	return nil
}

func family(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

func socketAddress(a netip.Addr, port int) unix.Sockaddr {
	if a.Is4() {
		return &unix.SockaddrInet4{Addr: a.As4(), Port: port}
	}
	return &unix.SockaddrInet6{Addr: a.As16(), Port: port}
}

// receive starts taking frames in.
func (s *stream) receive() {
	s.receiving.Go(func() {
		runtime.LockOSThread()
		buffer, control := make([]byte, 2048), make([]byte, 128)
		for !s.stopRecv.Load() {
			n, cn, _, _, err := unix.Recvmsg(s.receiver, buffer, control, 0)
			if err != nil {
				continue // the timeout, so that stop is seen
			}
			s.take(buffer[:n], control[:cn])
		}
	})
}

func (s *stream) take(frame, control []byte) {
	if len(frame) < probeHeader || binary.BigEndian.Uint32(frame) != probeMark ||
		binary.BigEndian.Uint32(frame[4:]) != s.id {
		return
	}
	seq := binary.BigEndian.Uint64(frame[8:])
	if seq == warmUp {
		s.warmOnce.Do(func() { close(s.warm) })
		return
	}
	s.arrivals = append(s.arrivals, Arrival{Seq: seq, At: arrivalTime(control)})
}

// arrivalTime is the kernel's receive time, or now where it gave none.
func arrivalTime(control []byte) int64 {
	messages, err := unix.ParseSocketControlMessage(control)
	if err == nil {
		for _, m := range messages {
			if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= 16 {
				sec := int64(binary.NativeEndian.Uint64(m.Data))
				nsec := int64(binary.NativeEndian.Uint64(m.Data[8:]))
				return sec*1e9 + nsec
			}
		}
	}
	return time.Now().UnixNano()
}

// open sends warm-up frames on every flow until one arrives, so that neighbours are
// resolved and switches have learned before anything is counted.
func (s *stream) open(patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for {
		for _, fd := range s.senders {
			_ = s.send(fd, warmUp, 0)
		}
		select {
		case <-s.warm:
			return nil
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("probe %s: no frame from %s reached %s within %v", s.name, s.probe.From, s.probe.To, patience)
		}
	}
}

func (s *stream) send(fd int, seq uint64, now int64) error {
	frame := make([]byte, s.probe.Size)
	binary.BigEndian.PutUint32(frame, probeMark)
	binary.BigEndian.PutUint32(frame[4:], s.id)
	binary.BigEndian.PutUint64(frame[8:], seq)
	binary.BigEndian.PutUint64(frame[16:], uint64(now))
	_, err := unix.Write(fd, frame)
	return err
}

// run sends count frames by schedule, from start on (CLOCK_MONOTONIC), and fewer when
// stopSend is set. A frame that is late is sent at once, so that a busy machine changes
// the spacing and not the number.
func (s *stream) run(start int64, count int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	period := int64(time.Second) / int64(s.probe.Rate)
	s.sent = make([]int64, 0, count)
	for seq := 0; seq < count && !s.stopSend.Load(); seq++ {
		sleepUntil(start + int64(seq)*period)
		s.late = max(s.late, time.Duration(monotonic()-start-int64(seq)*period))
		now := time.Now().UnixNano()
		if s.send(s.senders[s.probe.flowOf(uint64(seq))], uint64(seq), now) != nil {
			s.refused++
		}
		s.sent = append(s.sent, now)
		s.nextSeq.Store(uint64(seq) + 1)
	}
}

// monotonic reads CLOCK_MONOTONIC in nanoseconds.
func monotonic() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano()
}

// sleepUntil sleeps in the kernel: the runtime's own timers round up to a millisecond
// on an idle process.
func sleepUntil(at int64) {
	ts := unix.NsecToTimespec(at)
	for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &ts, nil) == unix.EINTR {
		continue
	}
}

// finish stops receiving and closes the sockets; sent and arrivals may be read after it.
func (s *stream) finish() {
	s.stopRecv.Store(true)
	s.receiving.Wait()
	s.closeSockets()
}

func (s *stream) closeSockets() {
	if s.receiver >= 0 {
		_ = unix.Close(s.receiver)
		s.receiver = -1
	}
	for _, fd := range s.senders {
		_ = unix.Close(fd)
	}
	s.senders = nil
}
