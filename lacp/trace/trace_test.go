package trace_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/lacptest"
	"github.com/yokelag/yoke/lacp/trace"
)

// ringed is a system whose steps a ring keeps.
type ringed struct {
	*lacp.System
	ring *trace.Ring
}

func (r ringed) Step(in lacp.Input) lacp.Output { return r.ring.Step(r.System, in) }

// randomRun gives a ring of a system that lived through bad times.
func randomRun(t testing.TB, seed uint64, steps int) (*trace.Ring, *lacp.System) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	net := lacptest.New()
	conf := func(last byte) lacp.Config {
		return lacp.Config{System: agg.MAC{2, 0, 0, 0, 0, last}, Active: true, Short: r.IntN(2) == 0, Strict: true, Coupled: r.IntN(3) == 0, MaxLinks: r.IntN(3)}
	}
	a, sys, err := net.AddSystem("a", conf(1), 3)
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := net.AddSystem("b", conf(2), 3)
	if err != nil {
		t.Fatal(err)
	}
	ring := &trace.Ring{}
	a.Machine = ringed{sys, ring}
	var wires []*lacptest.Wire
	for i := range uint16(3) {
		w := net.Connect(a, i+1, b, i+1)
		w.Fault = func(*lacptest.Node, []byte) []time.Duration {
			if r.IntN(4) == 0 {
				return nil
			}
			return []time.Duration{time.Duration(r.IntN(20)) * time.Millisecond}
		}
		net.Up(w, true)
		wires = append(wires, w)
	}
	for range steps {
		port := uint16(1 + r.IntN(3))
		switch r.IntN(6) {
		case 0, 1:
			net.Up(wires[port-1], r.IntN(3) > 0)
		case 2:
			a.Give(lacp.Input{Kind: lacp.Drain, Port: port})
		case 3:
			a.Give(lacp.Input{Kind: lacp.Undrain, Port: port})
		case 4:
			c := sys.Snapshot().Config
			c.Short = !c.Short
			a.Give(lacp.Input{Kind: lacp.Configure, Conf: &c})
		case 5:
			a.Give(lacp.Input{Kind: lacp.Received, Port: port, Frame: []byte("nonsense of 31 bytes, and more.")})
		}
		a.Give(lacp.Input{Kind: lacp.Tick}) // mostly for nothing
		if err := net.Run(time.Duration(r.IntN(3000)) * time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	return ring, sys
}

// A ring that has turned over several times replays bit for bit, and ends with the very
// system.
func TestReplayIsTheSame(t *testing.T) {
	for seed := range uint64(20) {
		ring, sys := randomRun(t, seed, 400)
		tr := ring.Trace()
		var end *lacp.System
		if err := tr.Replay(func(s *lacp.System, _ trace.Record) { end = s }); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		was, is := sys.Snapshot(), end.Snapshot()
		for i := range was.Ports { // a held LACPDU is counted also by inputs that are not kept
			was.Ports[i].Counters.TxHeld, is.Ports[i].Counters.TxHeld = 0, 0
		}
		was.Saved.At, is.Saved.At = 0, 0
		if text(t, was) != text(t, is) {
			t.Fatalf("seed %d: the system was\n%s\nand replayed it is\n%s", seed, text(t, was), text(t, is))
		}
	}
}

func text(t *testing.T, s lacp.Snapshot) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What a replay does otherwise is told.
func TestDifferenceIsTold(t *testing.T) {
	ring, _ := randomRun(t, 1, 20)
	tr := ring.Trace()
	for i, r := range tr.Records {
		if len(r.Moves) > 0 {
			tr.Records[i].Moves = r.Moves[1:]
			err := tr.Replay(nil)
			if d, ok := errors.AsType[*trace.Difference](err); !ok || d.Step != i {
				t.Errorf("got %v, want a difference in step %d", err, i)
			}
			return
		}
	}
	t.Error("no transition in a random run")
}

// A ring is bounded whatever comes, and the steady state costs it no memory for frames.
func TestRingIsBounded(t *testing.T) {
	s, err := lacp.New(lacp.Config{System: agg.MAC{2, 0, 0, 0, 0, 1}, Active: true, Ports: []lacp.Port{{Number: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	var ring trace.Ring
	at, size := agg.Instant(time.Hour), 0
	for i := range 50_000 {
		frame := make([]byte, 1500)
		frame[0], frame[1], frame[2] = byte(i), byte(i>>8), byte(i>>16)
		ring.Step(s, lacp.Input{At: at, Kind: lacp.Received, Port: 1, Frame: frame})
	}
	for _, r := range ring.Trace().Records {
		size += len(r.In.Frame)
	}
	if size > 2*64<<10+3000 || size < 64<<10 {
		t.Errorf("%d bytes of frames are kept", size)
	}
	if err := ring.Trace().Replay(nil); err != nil {
		t.Error(err)
	}
}

// In the steady state a step costs no allocation once the ring has turned over.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	net := lacptest.New()
	conf := func(last byte) lacp.Config {
		return lacp.Config{System: agg.MAC{2, 0, 0, 0, 0, last}, Active: true, Short: true}
	}
	a, sys, err := net.AddSystem("a", conf(1), 1)
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := net.AddSystem("b", conf(2), 1)
	if err != nil {
		t.Fatal(err)
	}
	ring := &trace.Ring{}
	a.Machine = ringed{sys, ring}
	var frame []byte
	net.Heard = func(n *lacptest.Node, _ uint16, f []byte) {
		if n == a {
			frame = f
		}
	}
	net.Up(net.Connect(a, 1, b, 1), true)
	if err := net.Run(time.Hour); err != nil {
		t.Fatal(err)
	}
	at := net.Now
	if n := testing.AllocsPerRun(300, func() {
		at = at.Add(time.Second)
		ring.Step(sys, lacp.Input{At: at, Kind: lacp.Received, Port: 1, Frame: frame})
		ring.Step(sys, lacp.Input{At: at, Kind: lacp.Tick})
	}); n > 0 {
		t.Errorf("%v allocations a second", n)
	}
}
