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

// ends waits until frames leave by the port no more.
func (r *rig) ends(s *nstest.Stream, limit time.Duration) time.Duration {
	r.Helper()
	start := time.Now()
	nstest.Eventually(r.T, limit, func() bool {
		before := s.Received()
		time.Sleep(5 * pace)
		return s.Received() == before
	}, "frames to stay")
	return time.Since(start)
}

func TestSilentPartnerIsNotSentTo(t *testing.T) {
	r := newRig(t, Options{})
	s := r.stream()
	r.agree()
	s.WaitReceived(10)
	r.beat(orphaned)
	r.send(pdu())
	took := r.ends(s, shortTimeout+time.Second)
	t.Logf("frames stayed %v after the partner's last word", took)
	if took < shortTimeout-time.Second {
		t.Error("that is before its timeout")
	}
	if n := r.noted(); n.Held == 0 || n.Stopped != "" {
		t.Errorf("noted %+v", n)
	}
	r.send(pdu()) // it speaks again, as before
	s.WaitReceived(10)
	r.ends(s, shortTimeout+time.Second)
	r.beat(0) // the daemon judges by itself
	s.WaitReceived(10)
	s.Stop()
}

func TestChangedPartnerIsNotSentTo(t *testing.T) {
	r := newRig(t, Options{})
	s := r.stream()
	r.agree()
	r.beat(orphaned)
	s.WaitReceived(10)
	p := pdu()
	p.Actor.State &^= slow.Synchronization | slow.Collecting
	r.send(p)
	r.ends(s, time.Second)
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
