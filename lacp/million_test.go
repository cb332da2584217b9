package lacp_test

import (
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
)

// steady is a system of so many ports that distribute, and what their partners say each
// second.
type steady struct {
	system *lacp.System
	at     agg.Instant
	frames [][]byte
}

func newSteady(t testing.TB, ports int) *steady {
	t.Helper()
	conf := config(1)
	conf.Ports = portsOf("a", 2, ports)
	s, err := lacp.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	out := &steady{system: s, at: agg.Instant(time.Hour), frames: make([][]byte, ports)}
	for i := range out.frames {
		s.Step(lacp.Input{At: out.at, Kind: lacp.LinkChanged, Port: uint16(i + 1), Link: lacp.Link{Up: true, Speed: 10000, FullDuplex: true}})
		out.frames[i] = partnerFrame(s, uint16(i+1))
	}
	for range 5 { // until the frames say what the system is by now
		out.second()
		for i := range out.frames {
			out.frames[i] = partnerFrame(s, uint16(i+1))
		}
	}
	if n := sending(s); n != ports {
		t.Fatalf("%d of %d ports send", n, ports)
	}
	return out
}

// second is one of a fast partner: a LACPDU on every port, and one to each.
func (s *steady) second() (sent int) {
	s.at = s.at.Add(time.Second)
	for i, f := range s.frames {
		sent += len(s.system.Step(lacp.Input{At: s.at, Kind: lacp.Received, Port: uint16(i + 1), Frame: f}).Send)
	}
	return sent + len(s.system.Step(lacp.Input{At: s.at, Kind: lacp.Tick}).Send)
}

// The largest system hears and says a LACPDU a second on each port without an allocation.
func TestManyPortsDoNotAllocate(t *testing.T) {
	s := newSteady(t, agg.MaxPorts)
	sent, runs := 0, 50
	if n := testing.AllocsPerRun(runs, func() { sent += s.second() }); n != 0 {
		t.Errorf("%v allocations a second", n)
	}
	if want := agg.MaxPorts * (runs + 1); sent != want {
		t.Errorf("%d LACPDUs were sent, want %d", sent, want)
	}
}

// A million LACPDUs that are heard, and as many that are sent, on 64 ports and on two.
func BenchmarkMillion(b *testing.B) {
	const million = 1_000_000
	for _, ports := range []int{2, agg.MaxPorts} {
		b.Run(map[bool]string{true: "two ports", false: "64 ports"}[ports == 2], func(b *testing.B) {
			s := newSteady(b, ports)
			b.ReportAllocs()
			for b.Loop() {
				for range million / ports {
					s.second()
				}
			}
		})
	}
}
