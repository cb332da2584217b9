package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/capture"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/trace"
)

// A capture of two kernels is told as Yoke would have lived through it: one of the links
// loses frames silently after 10 s. YOKE_UPDATE_SCRIPTS=1 writes the transcript anew.
func TestReplayOfAnotherCapture(t *testing.T) {
	const golden = "testdata/replay-kernel.txt"
	var out bytes.Buffer
	if code := run(t.Context(), []string{"replay", "../../capture/testdata/kernel.pcap"}, &out, io.Discard); code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	if os.Getenv("YOKE_UPDATE_SCRIPTS") != "" {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || string(want) != out.String() {
		t.Errorf("%v; got\n%s", err, &out)
	}
}

// What a daemon did is repeated; a file that says otherwise is not believed.
func TestReplayOfARing(t *testing.T) {
	s, err := lacp.New(lacp.Config{System: agg.MAC{2, 0, 0, 0, 0, 1}, Active: true, Ports: []lacp.Port{{Number: 1, Name: "eth1"}}})
	if err != nil {
		t.Fatal(err)
	}
	var ring trace.Ring
	ring.Step(s, lacp.Input{At: 1e12, Kind: lacp.LinkChanged, Port: 1, Link: lacp.Link{Up: true}})
	ring.Step(s, lacp.Input{At: s.Deadline(), Kind: lacp.Tick})
	for _, lie := range []bool{false, true} {
		tr := ring.Trace()
		if lie {
			tr.Records[0].Moves = tr.Records[0].Moves[1:]
		}
		name := t.TempDir() + "/ring.pcapng"
		f, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := capture.Write(f, capture.File{Aggregate: "bond0", Trace: &tr}); err != nil {
			t.Fatal(err)
		}
		f.Close()
		var out, problems bytes.Buffer
		code := run(t.Context(), []string{"replay", name}, &out, &problems)
		said := strings.Contains(out.String(), "bit for bit")
		if said == lie || code == exitOK == lie || lie != strings.Contains(problems.String(), "step 0") {
			t.Errorf("lie %v: exit code %d\n%s%s", lie, code, &out, &problems)
		}
	}
}

func TestReplayRefuses(t *testing.T) {
	for _, args := range [][]string{
		{"replay", "replay_test.go"},
		{"replay", "../../capture/testdata/kernel.pcap", "--as", "02:00:00:00:00:99"},
		{"replay", "../../capture/testdata/kernel.pcap", "--as", "me"},
		{"replay", "no-such-file"},
	} {
		var problems bytes.Buffer
		if code := run(t.Context(), args, io.Discard, &problems); code == exitOK || problems.Len() == 0 {
			t.Errorf("%v: exit code %d, %s", args, code, &problems)
		}
		t.Log(problems.String())
	}
}
