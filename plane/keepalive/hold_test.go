package keepalive

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/wire/slow"
)

// stream sends numbered datagrams out of the port.
func (r *rig) stream() *nstest.Stream {
	r.near.AddAddr("eth0", "192.0.2.1/24")
	r.far.AddAddr("eth0", "192.0.2.2/24")
	r.near.MustPing("192.0.2.2")
	return nstest.StartUDP(r, r.near, r.far, "192.0.2.1", "192.0.2.2", time.Millisecond)
}

// ends waits until frames leave by the port no more: between two looks some were held, and
// none came through.
func (r *rig) ends(s *nstest.Stream) {
	r.Helper()
	nstest.Eventually(r.T, patience, func() bool {
		received, held := s.Received(), r.noted().Held
		time.Sleep(5 * pace)
		return s.Received() == received && r.noted().Held > held
	}, "frames to stay")
}

// opens lets the partner speak until frames leave by the port again.
func (r *rig) opens(s *nstest.Stream) {
	r.Helper()
	before := s.Received()
	nstest.Eventually(r.T, patience, func() bool {
		r.send(pdu())
		return s.Received() > before+10
	}, "frames to leave")
}

// hears lets the partner speak until the programs have noted it.
func (r *rig) hears() {
	r.Helper()
	before := r.noted().Heard
	r.send(pdu())
	nstest.Eventually(r.T, patience, func() bool { return r.noted().Heard != before }, "the partner to be heard")
}

func TestSilentPartnerIsNotSentTo(t *testing.T) {
	r := newRig(t, Options{})
	s := r.stream()
	r.agree()
	s.WaitReceived(10)
	r.beat(orphaned)
	start := time.Now() // before it speaks, so less than its timeout is too early
	r.hears()
	r.ends(s)
	took := time.Since(start)
	t.Logf("frames stayed %v after the partner's last word", took)
	if took < shortTimeout {
		t.Error("that is before its timeout")
	}
	if n := r.noted(); n.Held == 0 || n.Stopped != "" {
		t.Errorf("noted %+v", n)
	}
	r.opens(s) // it speaks again, as before
	r.ends(s)
	r.there() // the daemon judges by itself
	s.WaitReceived(10)
	s.Stop()
}

func TestChangedPartnerIsNotSentTo(t *testing.T) {
	r := newRig(t, Options{})
	s := r.stream()
	state := State{Speak: true, Actor: ours, Partner: theirs, Source: source}
	state.Actor.State &^= slow.Timeout // it may be silent for longer than this test waits
	r.set(state)
	r.beat(orphaned)
	s.WaitReceived(10)
	p := pdu()
	p.Actor.State &^= slow.Synchronization | slow.Collecting
	r.send(p)
	r.ends(s)
	if n := r.noted(); n.Stopped != PartnerChanged {
		t.Errorf("noted %+v", n)
	}
	s.Stop()
}

func TestPortThatDoesNotSpeakIsSentTo(t *testing.T) {
	r := newRig(t, Options{})
	s := r.stream()
	r.set(State{Actor: ours, Partner: theirs, Source: source})
	r.beat(time.Minute)
	s.WaitReceived(50)
	s.Stop()
}

// Links' own protocols leave a port whose frames are held.
func TestHeldPortStillSpeaks(t *testing.T) {
	r := newRig(t, Options{})
	r.agree()
	r.beat(orphaned)
	p := pdu()
	p.Actor.Key++
	r.silent(p) // given up
	frame := pdu()
	r.run(r.near, func() error { return sendPlainly(r.ifindex, frame.AppendFrame(nil, slow.Group(), slow.Addr(source))) })
	r.wait(1)
}

// sendPlainly sends a frame past no queueing discipline, so through the programs.
func sendPlainly(ifindex int, frame []byte) error {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: ifindex})
}
