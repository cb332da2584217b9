package vethtest

import (
	"encoding/binary"
	"errors"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/nstest"
)

// end is an interface with a packet socket that sends on it and sees what it receives.
type end struct {
	t     *testing.T
	index int
	fd    int
	// refused are sends that failed for want of memory, late are frames that came after
	// they had been given up.
	refused, late int
	// given holds frames that were given up, of all ends of a harness.
	given map[string]bool
	// frame and beside are where a frame is received.
	frame, beside []byte
}

// openEnd makes the socket of an interface. Its buffer holds tens of thousands of
// frames, so that a busy machine does not count as a lossy plane.
func openEnd(t *testing.T, ns *nstest.NS, name string, given map[string]bool) *end {
	t.Helper()
	e := &end{t: t, index: ns.Index(name), given: given, frame: make([]byte, 66<<10), beside: make([]byte, 128)}
	err := ns.Run(func() (err error) {
		e.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(e.fd) })
	const buffer = 64 << 20
	err = errors.Join(
		unix.SetsockoptInt(e.fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1),
		unix.SetsockoptInt(e.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1),
		unix.SetsockoptInt(e.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffer),
		unix.Bind(e.fd, &unix.SockaddrLinklayer{Protocol: ethAll, Ifindex: e.index}))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// send sends one frame. An interface without carrier refuses it: then the frame is lost
// like any other.
func (e *end) send(frame []byte) {
	e.t.Helper()
	err := unix.Sendto(e.fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: e.index, Protocol: ethAll})
	if errors.Is(err, unix.ENOBUFS) {
		e.refused++
	}
	if err != nil && !errors.Is(err, unix.ENETDOWN) && !errors.Is(err, unix.ENOBUFS) {
		e.t.Fatalf("send a frame: %v", err)
	}
}

// drain forgets what was received so far.
func (e *end) drain() {
	for f := e.next(); f != nil; f = e.next() {
		e.noteLate(f)
	}
}

// noteLate counts a frame that was given up before.
func (e *end) noteLate(frame []byte) {
	if e.given[string(frame)] {
		delete(e.given, string(frame))
		e.late++
	}
}

// next returns a frame that the interface received, which is there until the next one is, or
// nil where none is waiting. A VLAN tag that the kernel took out of the frame is put back.
func (e *end) next() []byte {
	for {
		n, oobn, _, _, err := unix.Recvmsg(e.fd, e.frame, e.beside, 0)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.ENETDOWN), errors.Is(err, unix.EINTR):
			continue // the interface was down for a while
		case err != nil:
			e.t.Fatalf("receive a frame: %v", err)
		}
		return restoreTag(e.frame[:n], e.beside[:oobn])
	}
}

// Offsets in struct tpacket_auxdata (linux/if_packet.h), and its bits.
const (
	auxStatus = 0
	auxTCI    = 16
	auxTPID   = 18

	auxTagged = 1 << 4
)

func restoreTag(frame, oob []byte) []byte {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return frame
	}
	for _, m := range messages {
		if m.Header.Level != unix.SOL_PACKET || m.Header.Type != unix.PACKET_AUXDATA ||
			binary.NativeEndian.Uint32(m.Data[auxStatus:])&auxTagged == 0 {
			continue
		}
		tagged := slices.Clone(frame[:12])
		tagged = binary.BigEndian.AppendUint16(tagged, binary.NativeEndian.Uint16(m.Data[auxTPID:]))
		tagged = binary.BigEndian.AppendUint16(tagged, binary.NativeEndian.Uint16(m.Data[auxTCI:]))
		return append(tagged, frame[12:]...)
	}
	return frame
}

const (
	// patience is how long a change may take on a busy machine.
	patience = 10 * time.Second
	// quiet is how long nothing must arrive before what is missing counts as lost, and
	// looks how often one must have looked in vain meanwhile: a machine that has no time
	// for what carries the frames has none for looking either.
	quiet = 150 * time.Millisecond
	looks = 200
	// burst is how many frames are sent before their arrival is awaited: the kernel's
	// queue behind a veth holds 1000.
	burst = 256
)

// Send implements planetest.Harness.
func (h *harness) Send(t *testing.T, frames [][]byte) [][]string {
	t.Helper()
	h.settle(t)
	out := make([][]string, len(frames))
	for first := 0; first < len(frames); first += burst {
		last := min(first+burst, len(frames))
		h.sendBurst(frames[first:last], out[first:last])
	}
	return out
}

// settle waits until the aggregate's device can send, where it has carrier: the kernel
// lets go of its queue some time after it shows the carrier.
func (h *harness) settle(t *testing.T) {
	t.Helper()
	nstest.Eventually(t, patience, func() bool {
		a := h.host.Link(h.setup.Name).Attrs()
		return a.RawFlags&unix.IFF_LOWER_UP == 0 || a.OperState == netlink.OperUp
	}, "%s to be ready to send", h.setup.Name)
}

func (h *harness) sendBurst(frames [][]byte, out [][]string) {
	h.bond.drain() // and that the device was down for a while
	for port := range sorted(h.ends) {
		h.ends[port].drain()
	}
	want := newExpected(frames)
	for _, f := range frames {
		h.bond.send(f)
	}
	await(len(frames), func() (news, found int) {
		for port := range sorted(h.ends) {
			for f := h.ends[port].next(); f != nil; f = h.ends[port].next() {
				if i, ok := want.arrived(port, f); ok {
					news++
					out[i] = append(out[i], port)
				} else {
					h.ends[port].noteLate(f)
				}
			}
		}
		for i := range out {
			if len(out[i]) > 0 {
				found++
			}
		}
		return news, found
	})
	for i := range out {
		slices.Sort(out[i])
		if len(out[i]) == 0 {
			h.given[string(frames[i])] = true
		}
	}
}

// Receive implements planetest.Harness.
func (h *harness) Receive(t *testing.T, port string, frames [][]byte) (received int) {
	t.Helper()
	for first := 0; first < len(frames); first += burst {
		part := frames[first:min(first+burst, len(frames))]
		h.bond.drain()
		want := newExpected(part)
		for _, f := range part {
			h.ends[port].send(f)
		}
		got := 0
		await(len(part), func() (news, found int) {
			for f := h.bond.next(); f != nil; f = h.bond.next() {
				if _, ok := want.arrived(port, f); ok {
					news++
				}
			}
			got += news
			return news, got
		})
		received += got
	}
	return received
}

// await polls until everything is found or nothing has come for a while. Copies may
// come after the first of a frame, so there is always a last, short wait.
func await(total int, poll func() (news, found int)) {
	const settle = 2 * time.Millisecond
	limit, enough := quiet, looks
	vain := 0
	for last := time.Now(); vain < enough || time.Since(last) < limit; time.Sleep(200 * time.Microsecond) {
		news, found := poll()
		if found >= total {
			limit, enough = settle, 2
		}
		if vain++; news > 0 {
			last, vain = time.Now(), 0
		}
	}
}

// expected finds which of the frames sent one is that arrived. Frames with equal bytes
// are taken to arrive at a port in the order they were sent.
type expected struct {
	byBytes map[string][]int
	seen    map[string]int // by port and bytes
}

func newExpected(frames [][]byte) *expected {
	e := &expected{byBytes: map[string][]int{}, seen: map[string]int{}}
	for i, f := range frames {
		e.byBytes[string(f)] = append(e.byBytes[string(f)], i)
	}
	return e
}

func (e *expected) arrived(port string, frame []byte) (int, bool) {
	list := e.byBytes[string(frame)]
	key := port + "\x00" + string(frame)
	n := e.seen[key]
	if n >= len(list) {
		return 0, false
	}
	e.seen[key]++
	return list[n], true
}

func sorted[V any](m map[string]V) iter.Seq[string] {
	return slices.Values(slices.Sorted(maps.Keys(m)))
}
