package nstest

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Stream is a numbered stream of UDP datagrams from one namespace to another.
type Stream struct {
	t        testing.TB
	out, in  *net.UDPConn
	sent     atomic.Uint64
	received atomic.Uint64
	gap      atomic.Int64 // the longest between two received, ns
	pause    atomic.Int64 // Result.LongestPause, ns
	began    time.Time    // before the last was sent
	stop     chan struct{}
	stopOnce sync.Once
	sender   sync.WaitGroup
	receiver sync.WaitGroup

	// Owned by the receiver until it ends.
	seen      []bool
	result    Result
	highest   uint64
	lastAt    time.Time
	firstSeen bool
}

// Result is what became of a stream.
type Result struct {
	Sent, Received, Lost, Duplicated, Reordered uint64
	// LongestGap is the longest time between two datagrams received.
	LongestGap time.Duration
	// LongestPause is the longest time from before a datagram was sent until the next had been:
	// on the way out no two are further apart.
	LongestPause time.Duration
}

// datagram is the length of a datagram: big enough that 60-byte frames need no padding.
const datagram = 32

// StartUDP sends one datagram every period from src in from to dst in to, until Stop.
// A period of 0 sends nothing by itself; use Send. The receiving socket holds thousands
// of datagrams, so that a busy machine does not count as a lossy link.
func StartUDP(t testing.TB, from, to *NS, src, dst string, every time.Duration) *Stream {
	t.Helper()
	s := &Stream{t: t, stop: make(chan struct{})}
	s.listen(to, netip.MustParseAddr(dst))
	s.dial(from, netip.MustParseAddr(src))
	t.Cleanup(s.close)
	s.receiver.Go(s.receive)
	if every > 0 {
		s.sender.Go(func() { s.pace(every) })
	}
	return s
}

func (s *Stream) listen(ns *NS, dst netip.Addr) {
	s.t.Helper()
	err := ns.Run(func() (err error) {
		s.in, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(dst, 0)))
		return err
	})
	if err != nil {
		s.t.Fatalf("listen on %s: %v", dst, err)
	}
	raw, err := s.in.SyscallConn()
	if err != nil {
		s.t.Fatal(err)
	}
	const size = 16 << 20
	_ = raw.Control(func(fd uintptr) {
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size) != nil {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, size)
		}
	})
}

func (s *Stream) dial(ns *NS, src netip.Addr) {
	s.t.Helper()
	err := ns.Run(func() (err error) {
		s.out, err = net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(src, 0)),
			s.in.LocalAddr().(*net.UDPAddr))
		return err
	})
	if err != nil {
		s.t.Fatalf("dial from %s: %v", src, err)
	}
}

func (s *Stream) pace(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	start := time.Now()
	for {
		// A late tick makes up for those the ticker dropped, a part at a time, but not after the end.
		for due := min(uint64(time.Since(start)/every)+1, s.sent.Load()+atOnce); s.sent.Load() < due && !s.stopped(); {
			s.one()
		}
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
	}
}

// atOnce is how many datagrams are sent without a pause: the kernel's backlog queues hold
// 1000 frames, a frame may be in two of them, and there may be a stream each way.
const atOnce = 200

func (s *Stream) stopped() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// one sends the next datagram. A refused datagram (no route, a link that is down) is
// lost like any other.
func (s *Stream) one() {
	var b [datagram]byte
	binary.BigEndian.PutUint64(b[:], s.sent.Add(1)-1)
	before := s.began
	s.began = time.Now()
	_, _ = s.out.Write(b[:])
	if !before.IsZero() {
		s.pause.Store(max(s.pause.Load(), int64(time.Since(before))))
	}
}

// Send sends n more datagrams now, as fast as it can. Not together with a period.
func (s *Stream) Send(n int) {
	for range n {
		s.one()
	}
}

// SendAll is Send and [Stream.WaitAll], so many at a time as the kernel's queues hold however
// late they are emptied.
func (s *Stream) SendAll(n int) {
	s.t.Helper()
	for n > 0 {
		part := min(n, atOnce)
		s.Send(part)
		s.WaitAll()
		n -= part
	}
}

func (s *Stream) receive() {
	var b [datagram]byte
	for {
		n, err := s.in.Read(b[:])
		if err != nil {
			return
		}
		if n == datagram {
			s.count(binary.BigEndian.Uint64(b[:]), time.Now())
		}
	}
}

func (s *Stream) count(seq uint64, now time.Time) {
	for uint64(len(s.seen)) <= seq {
		s.seen = append(s.seen, make([]bool, 1024)...)
	}
	switch {
	case s.seen[seq]:
		s.result.Duplicated++
	case s.firstSeen && seq < s.highest:
		s.result.Reordered++
	}
	if s.firstSeen {
		s.gap.Store(max(s.gap.Load(), int64(now.Sub(s.lastAt))))
	}
	s.firstSeen, s.lastAt, s.highest = true, now, max(s.highest, seq)
	if !s.seen[seq] {
		s.seen[seq] = true
		s.result.Received++
		s.received.Add(1)
	}
}

// Sent is the number of datagrams sent so far.
func (s *Stream) Sent() uint64 { return s.sent.Load() }

// Received is the number of different datagrams received so far.
func (s *Stream) Received() uint64 { return s.received.Load() }

// WaitReceived waits until n more datagrams than now have arrived, and fails the test
// when that takes longer than ten seconds.
func (s *Stream) WaitReceived(n int) {
	s.t.Helper()
	until := s.Received() + uint64(n)
	Eventually(s.t, 10*time.Second, func() bool { return s.Received() >= until }, "%d datagrams to arrive", n)
}

// WaitAll waits until everything sent so far has arrived, and fails the test when that
// takes longer than ten seconds.
func (s *Stream) WaitAll() {
	s.t.Helper()
	until := s.Sent()
	Eventually(s.t, 10*time.Second, func() bool { return s.Received() >= until }, "all %d datagrams to arrive", until)
}

// quiet is how long nothing must arrive before what is missing counts as lost: as long as
// nothing had arrived before at most, on a machine that gave the reader no time, but not
// for ever where a link was cut.
func (s *Stream) quiet() time.Duration {
	const least, most = 100 * time.Millisecond, time.Second
	return min(max(least, time.Duration(s.gap.Load())), most)
}

// Stop ends the sending, waits until everything has arrived or nothing arrives any
// more, and returns the count.
func (s *Stream) Stop() Result {
	s.halt()
	for before := s.Received(); s.Received() < s.Sent(); before = s.Received() {
		time.Sleep(s.quiet())
		if s.Received() == before {
			break
		}
	}
	s.close()
	s.receiver.Wait()
	r := s.result
	r.Sent, r.LongestGap, r.LongestPause = s.Sent(), time.Duration(s.gap.Load()), time.Duration(s.pause.Load())
	r.Lost = r.Sent - r.Received
	return r
}

// patience is how long the last write may take. A write hangs where datagrams cannot
// leave and fill the socket's buffer, and is lost then.
const patience = time.Second

// halt ends the sending.
func (s *Stream) halt() {
	s.stopOnce.Do(func() {
		close(s.stop)
		_ = s.out.SetWriteDeadline(time.Now().Add(patience))
	})
	s.sender.Wait()
}

func (s *Stream) close() {
	s.halt()
	_ = s.out.Close() // a second Close is harmless
	_ = s.in.Close()
}
