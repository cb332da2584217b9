package capture_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/capture"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/lacptest"
	"github.com/yokelag/yoke/lacp/trace"
)

type ringed struct {
	*lacp.System
	ring *trace.Ring
}

func (r ringed) Step(in lacp.Input) lacp.Output { return r.ring.Step(r.System, in) }

// life is the trace of a system with two ports, later three, one of which lost its link.
func life(t testing.TB) trace.Trace {
	t.Helper()
	net := lacptest.New()
	conf := func(last byte) lacp.Config {
		return lacp.Config{System: agg.MAC{2, 0, 0, 0, 0, last}, Active: true, Short: true, Strict: true}
	}
	a, sys, err := net.AddSystem("eth", conf(1), 2)
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := net.AddSystem("b", conf(2), 3)
	if err != nil {
		t.Fatal(err)
	}
	ring := &trace.Ring{}
	a.Machine = ringed{sys, ring}
	one, two := net.Connect(a, 1, b, 1), net.Connect(a, 2, b, 2)
	run := func(d time.Duration) {
		if err := net.Run(d); err != nil {
			t.Fatal(err)
		}
	}
	net.Up(one, true)
	net.Up(two, true)
	run(5 * time.Second)
	c := sys.Snapshot().Config
	c.Ports = append(c.Ports, lacp.Port{Number: 3, Name: "eth3", MAC: agg.MAC{2, 1, 0, 0, 0, 3}, Priority: 255})
	a.Give(lacp.Input{Kind: lacp.Configure, Conf: &c})
	net.Up(net.Connect(a, 3, b, 3), true)
	run(2 * time.Second)
	net.Up(one, false)
	run(2 * time.Second)
	a.Give(lacp.Input{Kind: lacp.Drain, Port: 2})
	run(300 * time.Millisecond)
	a.Give(lacp.Input{Kind: lacp.LinkChanged, Port: 1, Link: lacp.Link{Speed: 100}})
	return ring.Trace()
}

func boot() time.Time { return time.Date(2026, 1, 2, 3, 0, 0, 123456789, time.UTC) }

func file(t testing.TB, tr trace.Trace) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := capture.Write(&b, capture.File{Aggregate: "bond0", Boot: boot(), Trace: &tr}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func told(t testing.TB, tr trace.Trace) string {
	t.Helper()
	var b strings.Builder
	if err := tr.Tell(&b, trace.Telling{Every: true}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What is written and read replays bit for bit and tells the same.
func TestRingComesBack(t *testing.T) {
	was := life(t)
	got, err := capture.Read(bytes.NewReader(file(t, was)))
	if err != nil || got.Trace == nil {
		t.Fatalf("%+v, %v", got, err)
	}
	if got.Aggregate != "bond0" || !got.Boot.Equal(boot()) || len(got.Trace.Records) != len(was.Records) {
		t.Errorf("%s, %v, %d steps of %d", got.Aggregate, got.Boot, len(got.Trace.Records), len(was.Records))
	}
	if a, b := told(t, was), told(t, *got.Trace); a != b {
		t.Errorf("it was\n%s\nand it is\n%s", a, b)
	}
}

// tcpdump reads the file and knows the frames.
func TestTcpdumpReadsIt(t *testing.T) {
	nstest.Require(t, "program:tcpdump")
	name := filepath.Join(t.TempDir(), "ring.pcapng")
	if err := os.WriteFile(name, file(t, life(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("tcpdump", "-n", "-v", "-r", name).CombinedOutput()
	if n := strings.Count(string(out), "LACPv1, length 110"); err != nil || n < 20 {
		t.Errorf("%v, %d LACPDUs:\n%s", err, n, out)
	}
	if n := strings.Count(string(out), "Marker Information"); n == 0 {
		t.Errorf("no Marker:\n%s", out)
	}
}

func FuzzRead(f *testing.F) {
	text := file(f, life(f))
	f.Add(text)
	f.Add(text[:len(text)/2])
	for _, name := range []string{"kernel.pcap", "ovs.pcap"} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := capture.Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		if got.Trace != nil && len(got.Trace.Records) < 10_000 {
			_ = got.Trace.Replay(nil)
		}
		for _, c := range got.Frames {
			if c.At > agg.Instant(2*time.Hour) {
				return // a long time is only more of the same
			}
		}
		for _, s := range trace.Systems(got.Frames) {
			_, _ = trace.Guess(got.Frames, s)
		}
	})
}

// Files with a few wrong bytes are read or refused.
func TestBrokenFiles(t *testing.T) {
	other, err := os.ReadFile("testdata/kernel.pcap")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for i, whole := range [][]byte{file(t, life(t)), other} {
		refused := 0
		for range 300 {
			b := bytes.Clone(whole)
			for range 1 + r.IntN(6) {
				b[r.IntN(len(b))] = byte(r.IntN(256))
			}
			got, err := capture.Read(bytes.NewReader(b[:r.IntN(len(b)+1)]))
			if err != nil {
				refused++
			} else if got.Trace != nil {
				_ = got.Trace.Replay(nil)
			}
		}
		if refused == 0 {
			t.Errorf("file %d: no broken one was refused", i)
		}
	}
}
