package nstest

import (
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Frame is one frame that was seen, from the destination address on, VLAN tags included.
type Frame struct {
	At    time.Duration // since the capture began, by the kernel's clock at its arrival
	Bytes []byte
}

// Capture collects what an interface receives.
type Capture struct {
	fd     int
	done   chan struct{}
	began  time.Time
	mu     sync.Mutex
	frames []Frame
}

// Capture begins to collect what the interface receives, until the test ends. It does
// not collect what the interface sends.
func (n *NS) Capture(name string) *Capture {
	n.t.Helper()
	c := &Capture{done: make(chan struct{}), began: time.Now()}
	index := n.Index(name)
	err := n.Run(func() (err error) {
		c.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err == nil {
		wait := unix.Timeval{Usec: 100_000} // so that the end of the test is noticed
		all := int(binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.ETH_P_ALL)))
		err = errors.Join(unix.SetsockoptInt(c.fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1),
			unix.SetsockoptInt(c.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1),
			unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
			unix.SetsockoptTimeval(c.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait),
			unix.Bind(c.fd, &unix.SockaddrLinklayer{Protocol: uint16(all), Ifindex: index}))
	}
	if err != nil {
		n.t.Fatalf("capture on %s: %v", name, err)
	}
	var task sync.WaitGroup
	task.Go(c.collect)
	n.t.Cleanup(func() {
		close(c.done)
		task.Wait()
		_ = unix.Close(c.fd)
	})
	return c
}

func (c *Capture) collect() {
	b, control := make([]byte, 65536), make([]byte, 128)
	for {
		select {
		case <-c.done:
			return
		default:
		}
		n, o, _, _, err := unix.Recvmsg(c.fd, b, control, 0)
		if err != nil {
			continue // nothing came
		}
		at, bytes := beside(slices.Clone(b[:n]), control[:o])
		frame := Frame{At: at.Sub(c.began), Bytes: bytes}
		c.mu.Lock()
		c.frames = append(c.frames, frame)
		c.mu.Unlock()
	}
}

// beside reads what the kernel tells beside a frame: when it arrived, and the VLAN tag that
// was taken out of it, which is put back.
func beside(frame, control []byte) (time.Time, []byte) {
	at := time.Now()
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return at, frame
	}
	for _, m := range messages {
		switch {
		case m.Header.Level == unix.SOL_PACKET && m.Header.Type == unix.PACKET_AUXDATA:
			frame = tagged(frame, m.Data)
		case m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SCM_TIMESTAMPNS && len(m.Data) >= 16:
			at = time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:])))
		}
	}
	return at, frame
}

// tagged reads struct tpacket_auxdata of linux/if_packet.h.
func tagged(frame, aux []byte) []byte {
	const valid, length, tci, tpid = unix.TP_STATUS_VLAN_VALID, 20, 16, 18
	if len(aux) < length || binary.NativeEndian.Uint32(aux)&valid == 0 {
		return frame
	}
	tag := binary.BigEndian.AppendUint16(nil, binary.NativeEndian.Uint16(aux[tpid:]))
	tag = binary.BigEndian.AppendUint16(tag, binary.NativeEndian.Uint16(aux[tci:]))
	return slices.Insert(frame, 12, tag...)
}

// Began is the moment from which the times of the frames count.
func (c *Capture) Began() time.Time { return c.began }

// Frames returns what was collected so far.
func (c *Capture) Frames() []Frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.frames)
}

// ReadPcap reads the frames of a capture file of microseconds in this host's byte order.
// The first is at 0.
func ReadPcap(t testing.TB, file string) (frames []Frame) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const head, record, microseconds = 24, 16, 0xa1b2c3d4
	if len(b) < head || binary.LittleEndian.Uint32(b) != microseconds {
		t.Fatalf("%s is not a capture that this test reads", file)
	}
	var first time.Duration
	for b = b[head:]; len(b) >= record; {
		at := time.Duration(binary.LittleEndian.Uint32(b))*time.Second + time.Duration(binary.LittleEndian.Uint32(b[4:]))*time.Microsecond
		n := int(binary.LittleEndian.Uint32(b[8:]))
		if len(b) < record+n {
			t.Fatalf("%s is cut short", file)
		}
		if len(frames) == 0 {
			first = at
		}
		frames = append(frames, Frame{At: at - first, Bytes: b[record : record+n]})
		b = b[record+n:]
	}
	return frames
}
