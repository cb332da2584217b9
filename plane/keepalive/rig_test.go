package keepalive

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/afpacket"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/wire/slow"
)

const healthy = slow.Activity | slow.Timeout | slow.Aggregation | slow.Synchronization | slow.Collecting | slow.Distributing

var (
	ours   = slow.Info{SystemPriority: 65535, System: slow.Addr{2, 0, 0, 0, 0, 1}, Key: 15, PortPriority: 255, Port: 1, State: healthy}
	theirs = slow.Info{SystemPriority: 32768, System: slow.Addr{2, 0, 0, 0, 0, 2}, Key: 7, PortPriority: 128, Port: 9, State: healthy}
	source = agg.MAC{2, 0, 0, 0, 1, 1}
	pace   = 20 * time.Millisecond
)

// patience is how long a loaded machine may take for what it does in a moment.
const patience = 20 * time.Second

// rig is a port with the programs, and a partner made of bytes behind the cable.
type rig struct {
	*testing.T
	near, far *nstest.NS
	keeper    *Keeper
	ifindex   int
	heard     *nstest.Capture
	sender    *afpacket.Sender
}

func newRig(t *testing.T, options Options) *rig {
	t.Helper()
	t.Parallel() // they wait most of the time
	nstest.Require(t, "root", "bpf", "veth")
	r := &rig{T: t, near: nstest.New(t), far: nstest.New(t)}
	r.far.Veth("spare1", r.far, "spare2") // so that no end has the ifindex of the other
	r.near.Veth("eth0", r.far, "eth0")
	r.ifindex = r.near.Index("eth0")
	r.heard = r.far.Capture("eth0")
	r.run(r.far, func() (err error) { r.sender, err = afpacket.NewSender(); return err })
	t.Cleanup(func() { r.sender.Close() })
	r.keeper = r.open(options)
	return r
}

// there lets the daemon be there until the test says otherwise, however long it is held up.
func (r *rig) there() {
	r.Helper()
	r.beat(-time.Hour)
}

func (r *rig) run(n *nstest.NS, fn func() error) {
	r.Helper()
	if err := n.Run(fn); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) open(options Options) (k *Keeper) {
	r.Helper()
	r.run(r.near, func() (err error) { k, err = Open(options); return err })
	r.Cleanup(func() { k.Close() })
	beat(r.T, k, -time.Hour) // it is there; see there
	return k
}

// agree sets the port as agreed with the partner.
func (r *rig) agree() {
	r.Helper()
	r.set(State{Speak: true, Actor: ours, Partner: theirs, Source: source})
}

func (r *rig) set(s State) {
	r.Helper()
	r.run(r.near, func() error { return r.keeper.Set(r.ifindex, s) })
}

// beat is a beat of the daemon some time ago.
func (r *rig) beat(ago time.Duration) {
	r.Helper()
	beat(r.T, r.keeper, ago)
}

func beat(t *testing.T, k *Keeper, ago time.Duration) {
	t.Helper()
	if err := k.Beat(agg.Instant(bootclock.Now()).Add(-ago)); err != nil {
		t.Fatal(err)
	}
}

func pdu() slow.LACPDU {
	return slow.LACPDU{Version: slow.Version1, Actor: theirs, Partner: ours, MaxDelay: 5}
}

func (r *rig) send(p slow.LACPDU) {
	r.Helper()
	r.sendFrame(p.AppendFrame(nil, slow.Group(), slow.Addr{2, 0, 0, 0, 2, 2}))
}

func (r *rig) sendFrame(frame []byte) {
	r.Helper()
	if err := r.sender.Send(context.Background(), r.far.Index("eth0"), frame); err != nil {
		r.Fatal(err)
	}
}

// answers are the LACPDUs that the partner heard.
func (r *rig) answers() (out []slow.LACPDU) {
	for _, f := range r.frames() {
		s, err := slow.Parse(f, slow.Addr{})
		if err != nil {
			r.Fatalf("heard %x: %v", f, err)
		}
		p, err := slow.ParseLACPDU(s.Payload)
		if err != nil {
			r.Fatalf("heard %x: %v", f, err)
		}
		out = append(out, p)
	}
	return out
}

// frames are the frames to the slow protocols that the partner heard.
func (r *rig) frames() (out [][]byte) {
	for _, f := range r.heard.Frames() {
		if slow.Addr(f.Bytes[:6]) == slow.Group() {
			out = append(out, f.Bytes)
		}
	}
	return out
}

// noted is what the keeper noted.
func (r *rig) noted() (n Noted) {
	r.Helper()
	r.run(r.near, func() (err error) { n, _, err = r.keeper.Noted(r.ifindex); return err })
	return n
}

// wait waits for so many answers.
func (r *rig) wait(n int) {
	r.Helper()
	nstest.Eventually(r.T, patience, func() bool { return len(r.answers()) >= n }, "%d answers", n)
}

// silent sends a LACPDU and fails the test where it is answered: a frame behind it, that
// nobody answers either, is seen to have come through.
func (r *rig) silent(p slow.LACPDU) {
	r.Helper()
	before, mark := len(r.answers()), r.near.Capture("eth0")
	r.send(p)
	end := append(bytes.Repeat([]byte{0xff}, 6), append([]byte{2, 0, 0, 0, 2, 2, 0x88, 0xb5}, make([]byte, 46)...)...)
	nstest.Eventually(r.T, patience, func() bool {
		r.sendFrame(end)
		return slices.ContainsFunc(mark.Frames(), func(f nstest.Frame) bool { return bytes.Equal(f.Bytes, end) })
	}, "the frame behind")
	time.Sleep(pace)
	if n := len(r.answers()); n != before {
		r.Errorf("%d answers, %d before", n, before)
	}
}
