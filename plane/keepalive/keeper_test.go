package keepalive

import (
	"bytes"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/afpacket"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/wire"
	"github.com/yokelag/yoke/wire/slow"
)

const orphaned = 2 * time.Second

func TestAnswersOnlyWhileTheDaemonIsSilent(t *testing.T) {
	r := newRig(t, Options{})
	r.agree()
	r.silent(pdu())
	if n := r.noted(); n.Heard == agg.Never || n.Spoken != agg.Never {
		t.Errorf("noted %+v", n)
	}
	r.beat(orphaned)
	sent := pdu()
	sent.Actor.State &^= slow.Timeout // it asks for less: no change
	r.send(sent)
	r.wait(1)
	want := slow.LACPDU{Version: slow.Version1, Actor: ours, Partner: sent.Actor}
	if got := r.answers()[0]; got != want {
		t.Errorf("answered %+v, not %+v", got, want)
	}
	if got := r.frames()[0]; len(got) != slow.FrameLen || slow.Addr(got[6:12]) != slow.Addr(source) {
		t.Errorf("the answer is %d bytes from %x", len(got), got[6:12])
	}
	if n := r.noted(); n.Answers != 1 || n.Spoken == agg.Never || n.Stopped != "" {
		t.Errorf("noted %+v", n)
	}
	r.there()
	r.silent(pdu())
}

func TestAnswersAskForShortTimeout(t *testing.T) {
	r := newRig(t, Options{})
	s := State{Speak: true, Actor: ours, Partner: theirs, Source: source}
	s.Actor.State &^= slow.Timeout
	r.set(s)
	r.beat(orphaned)
	p := pdu()
	p.Partner.State &^= slow.Timeout
	r.send(p)
	r.wait(1)
	if got := r.answers()[0].Actor.State; got != healthy {
		t.Errorf("the answer's state is %v", got)
	}
	r.beat(orphaned)
	time.Sleep(AnswerGap)
	r.send(pdu()) // it has heard that
	r.wait(2)
}

// What is answered is heard all the same, as it was said: a daemon that comes late, or has
// just begun, must not think that its partner was silent.
func TestTheDaemonHearsWhatIsAnswered(t *testing.T) {
	r := newRig(t, Options{})
	var ear *afpacket.Ear
	r.run(r.near, func() error {
		s, err := afpacket.NewSlow()
		if err != nil {
			return err
		}
		t.Cleanup(func() { s.Close() })
		ear = s.Listen()
		return ear.Hear([]int{r.ifindex})
	})
	t.Cleanup(func() { ear.Close() })
	r.agree()
	r.beat(orphaned)
	p := pdu()
	said := p.AppendFrame(nil, slow.Group(), slow.Addr{2, 0, 0, 0, 2, 2})
	r.sendFrame(said)
	r.wait(1)
	var heard []byte
	nstest.Eventually(t, patience, func() bool {
		_, frame, ok := ear.Take()
		heard = frame
		return ok
	}, "the daemon to hear it")
	if !bytes.Equal(heard, said) {
		t.Errorf("heard %x, said %x", heard, said)
	}
}

func TestAnswersOnceInTheGap(t *testing.T) {
	r := newRig(t, Options{})
	r.agree()
	r.beat(orphaned)
	start, sent := time.Now(), 0
	nstest.Eventually(t, patience, func() bool {
		r.send(pdu())
		sent++
		return len(r.answers()) > 1 && time.Since(start) > 2*AnswerGap
	}, "two answers")
	time.Sleep(pace)
	n, took := len(r.answers()), time.Since(start)
	if n > 1+int(took/AnswerGap) {
		t.Errorf("%d answers within %v to %d that were sent", n, took, sent)
	}
}

func TestForeignLengthsAndTags(t *testing.T) {
	r := newRig(t, Options{})
	r.agree()
	r.beat(orphaned)
	p := pdu()
	frame := p.AppendFrame(nil, slow.Group(), slow.Addr{2, 0, 0, 0, 2, 2})
	tagged := func(id uint16) []byte {
		tags, err := wire.MakeTags(wire.VLAN{Type: wire.TypeVLAN, TCI: id})
		if err != nil {
			t.Fatal(err)
		}
		return append(wire.Ethernet{Dst: slow.Group(), Src: slow.Addr{2, 0, 0, 0, 2, 2}, Tags: tags, Type: wire.TypeSlow}.AppendTo(nil), frame[14:]...)
	}
	r.sendFrame(frame[:slow.FrameLen-1])
	r.sendFrame(tagged(5))
	r.silent(slow.LACPDU{}) // and one without an address
	r.keeper.set = map[int]State{}
	r.agree()
	r.beat(orphaned)
	for i, good := range [][]byte{append(frame, make([]byte, 500)...), tagged(0)} {
		time.Sleep(AnswerGap)
		r.sendFrame(good)
		r.wait(i + 1)
	}
	for _, f := range r.frames() {
		if len(f) != slow.FrameLen {
			t.Errorf("an answer of %d bytes: %x", len(f), f)
		}
	}
}

func TestNeverAnswersOurOwnSystem(t *testing.T) {
	r := newRig(t, Options{})
	s := State{Speak: true, Actor: ours, Partner: theirs, Source: source}
	s.Partner.System = ours.System
	r.set(s)
	r.beat(orphaned)
	p := pdu()
	p.Actor.System = ours.System
	r.silent(p)
	if n := r.noted(); n.Own != 1 || n.Stopped != "" {
		t.Errorf("noted %+v", n)
	}
}

func TestStopsWhenThePartnerChanges(t *testing.T) {
	for name, change := range map[string]func(*slow.LACPDU){
		"system":           func(p *slow.LACPDU) { p.Actor.System[5]++ },
		"key":              func(p *slow.LACPDU) { p.Actor.Key++ },
		"port":             func(p *slow.LACPDU) { p.Actor.Port++ },
		"priority":         func(p *slow.LACPDU) { p.Actor.SystemPriority++ },
		"out of sync":      func(p *slow.LACPDU) { p.Actor.State &^= slow.Synchronization },
		"closed":           func(p *slow.LACPDU) { p.Actor.State &^= slow.Collecting },
		"expired":          func(p *slow.LACPDU) { p.Actor.State |= slow.Expired },
		"knows us no more": func(p *slow.LACPDU) { p.Partner = slow.Info{} },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{})
			r.agree()
			r.beat(orphaned)
			p := pdu()
			change(&p)
			r.silent(p)
			r.silent(pdu()) // what it says now does not matter any more
			if n := r.noted(); n.Stopped != PartnerChanged {
				t.Errorf("noted %+v", n)
			}
			r.keeper.set = map[int]State{}
			r.agree() // the daemon does
			r.beat(orphaned)
			if n := r.noted(); n.Stopped != "" {
				t.Errorf("noted %+v", n)
			}
			r.send(pdu())
			r.wait(1)
		})
	}
}

func TestGoesOnWhenThePartnerOpens(t *testing.T) {
	r := newRig(t, Options{})
	s := State{Speak: true, Actor: ours, Partner: theirs, Source: source}
	s.Partner.State &^= slow.Distributing
	r.set(s)
	r.beat(orphaned)
	r.send(pdu())
	r.wait(1)
}

func TestStopsWhenTheCarrierWasLost(t *testing.T) {
	r := newRig(t, Options{})
	if !r.keeper.sees {
		t.Fatal("the programs do not see the carrier on this kernel")
	}
	r.agree()
	r.silent(pdu()) // heard while the daemon is there
	r.beat(orphaned)
	r.send(pdu())
	r.wait(1)
	r.far.SetDown("eth0")
	r.far.SetUp("eth0")
	time.Sleep(AnswerGap)
	r.silent(pdu())
	if n := r.noted(); n.Stopped != CarrierLost {
		t.Errorf("noted %+v", n)
	}
}

func TestStopsAfterTheOrphanTime(t *testing.T) {
	r := newRig(t, Options{})
	long := min(time.Hour, time.Duration(monotonic()/2)) // a beat before the machine began is none
	r.set(State{Speak: true, MaxOrphan: long, Actor: ours, Partner: theirs, Source: source})
	r.beat(long + time.Millisecond)
	r.silent(pdu())
	if n := r.noted(); n.Stopped != "" || n.Heard == agg.Never {
		t.Errorf("noted %+v", n)
	}
	r.beat(long / 2)
	r.send(pdu())
	r.wait(1)
}

func TestSaysNothingUnasked(t *testing.T) {
	r := newRig(t, Options{})
	r.set(State{Actor: ours, Partner: theirs, Source: source})
	r.beat(orphaned)
	r.silent(pdu())
}
