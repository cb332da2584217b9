package lacp_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/yokelag/yoke/lacp"
)

// A system made of a snapshot that was written down does what the first one does.
func TestSnapshot(t *testing.T) {
	p := newPair(t, 3, config(1), config(2)).up().run(2 * time.Second)
	p.net.Up(p.wires[2], false)
	text, err := json.Marshal(p.a.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	var from lacp.Snapshot
	if err := json.Unmarshal(text, &from); err != nil {
		t.Fatal(err)
	}
	s, err := lacp.FromSnapshot(from)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		in := lacp.Input{At: p.a.Deadline(), Kind: lacp.Tick}
		if a, b := fmt.Sprint(p.a.Step(in)), fmt.Sprint(s.Step(in)); a != b {
			t.Fatalf("at %v the one does %s, the other %s", in.At, a, b)
		}
	}
}

func TestNoSnapshot(t *testing.T) {
	p := newPair(t, 2, config(1), config(2))
	for what, spoil := range map[string]func(*lacp.Snapshot){
		"no system":        func(s *lacp.Snapshot) { s.Config.System = [6]byte{} },
		"a port less":      func(s *lacp.Snapshot) { s.Ports = s.Ports[1:] },
		"a state less":     func(s *lacp.Snapshot) { s.Saved.Ports = s.Saved.Ports[1:] },
		"of another port":  func(s *lacp.Snapshot) { s.Saved.Ports[0].Number = 9 },
		"without any port": func(s *lacp.Snapshot) { s.Config.Ports = nil },
	} {
		from := p.a.Snapshot()
		spoil(&from)
		if _, err := lacp.FromSnapshot(from); err == nil {
			t.Errorf("%s: taken", what)
		}
	}
}
