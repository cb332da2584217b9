package afpacket

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/nstest"
)

func newEar(t *testing.T, ns *nstest.NS) (*Slow, *Ear) {
	t.Helper()
	var s *Slow
	if err := ns.Run(func() (err error) { s, err = NewSlow(); return err }); err != nil {
		t.Fatal(err)
	}
	e := s.Listen()
	t.Cleanup(func() { e.Close(); s.Close() })
	return s, e
}

func slowFrame(last byte) []byte {
	f := append([]byte{1, 0x80, 0xc2, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0x09}, make([]byte, 46)...)
	f[len(f)-1] = last
	return f
}

// next waits for a frame.
func next(t *testing.T, e *Ear) (int, []byte) {
	t.Helper()
	for end := time.After(10 * time.Second); ; {
		if index, frame, ok := e.Take(); ok {
			return index, frame
		}
		select {
		case <-e.Wake():
		case <-end:
			t.Fatal("nothing was heard")
		}
	}
}

// What one ear says the other hears, with the interface it came by and the tag it had.
func TestEarHearsWhatAnotherSays(t *testing.T) {
	nstest.Require(t, "root", "veth")
	here, there := nstest.New(t), nstest.New(t)
	here.Veth("eth0", there, "far0")
	here.Veth("eth1", there, "far1")
	_, a := newEar(t, here)
	_, b := newEar(t, there)
	if err := b.Hear([]int{there.Index("far0"), there.Index("far1")}); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"eth1", "eth0", "eth1"} {
		if err := a.Send(t.Context(), here.Index(name), slowFrame(byte(i)), i == 2); err != nil {
			t.Fatal(err)
		}
		index, frame := next(t, b)
		if want := there.Index(strings.Replace(name, "eth", "far", 1)); index != want || !bytes.Equal(frame, slowFrame(byte(i))) {
			t.Errorf("heard %x by %d, want it by %d", frame, index, want)
		}
	}
	tagged := append(slowFrame(9)[:12:12], append([]byte{0x81, 0, 0, 5}, slowFrame(9)[12:]...)...)
	if err := a.Send(t.Context(), here.Index("eth0"), tagged, false); err != nil {
		t.Fatal(err)
	}
	if _, frame := next(t, b); len(frame) != len(tagged) || frame[12] != 0x81 {
		t.Errorf("with a tag came %x", frame)
	}
	if err := b.Hear([]int{there.Index("far1")}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"eth0", "eth1"} {
		if err := a.Send(t.Context(), here.Index(name), slowFrame(7), false); err != nil {
			t.Fatal(err)
		}
	}
	if index, _ := next(t, b); index != there.Index("far1") {
		t.Error("heard on an interface that is not wanted any more")
	}
}

func TestHearRefusesWhatIsNoInterface(t *testing.T) {
	nstest.Require(t, "root")
	_, e := newEar(t, nstest.New(t))
	if err := e.Hear([]int{4711}); err == nil {
		t.Error("heard on an interface that there is not")
	}
}

// A flood on one port is read at a bounded rate and keeps nothing from the other.
func TestFloodIsBounded(t *testing.T) {
	nstest.Require(t, "root", "veth")
	here, there := nstest.New(t), nstest.New(t)
	here.Veth("eth0", there, "far0")
	here.Veth("eth1", there, "far1")
	_, a := newEar(t, here)
	_, b := newEar(t, there)
	far0, far1 := there.Index("far0"), there.Index("far1")
	if err := b.Hear([]int{far0, far1}); err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	for i := range 20000 {
		if err := a.Send(t.Context(), here.Index("eth0"), slowFrame(byte(i)), false); err != nil && !errors.Is(err, unix.ENOBUFS) {
			t.Fatal(err)
		}
	}
	if err := a.Send(t.Context(), here.Index("eth1"), slowFrame(1), false); err != nil {
		t.Fatal(err)
	}
	read := 0
	for {
		index, _ := next(t, b)
		if index == far1 {
			break
		}
		read++
	}
	if lost := b.Unread(far0); lost+uint64(read) > 20000 || lost < 10000 || b.Unread(far0) != lost || b.Unread(far1) != 0 {
		t.Errorf("%d frames were lost and %d read, of 20000", lost, read)
	}
	if most := frameBurst + frameRate*int(time.Since(started).Seconds()+1); read > most {
		t.Errorf("%d frames of the flood were read, at most %d should be", read, most)
	}
}
