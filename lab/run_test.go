package lab_test

import (
	"bytes"
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/lab"
)

// run parses and runs a lab and shows its report when the test fails.
func run(t *testing.T, text string) *lab.Result {
	t.Helper()
	nstest.Require(t, "root", "veth")
	f, err := lab.Parse(t.Name(), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var progress bytes.Buffer
	r, err := lab.Run(t.Context(), f, lab.Options{Progress: &progress})
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	t.Cleanup(func() {
		if t.Failed() {
			_ = r.WriteText(&progress)
			t.Log(progress.String())
		}
	})
	return r
}

func stream(t *testing.T, r *lab.Result, name string) lab.Stream {
	t.Helper()
	for _, s := range r.Streams {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no stream %s", name)
	return lab.Stream{}
}

const twoHosts = `version: 1
name: plain
hosts:
  a: {addresses: {p1: [10.0.0.1/24]}}
  b: {addresses: {p1: [10.0.0.2/24]}}
`

func TestCableBetweenHosts(t *testing.T) {
	r := run(t, twoHosts+`
cables: {c1: {ends: ["a:p1", "b:p1"]}}
probes:
  out: {from: a, to: b}
  in: {from: b, to: a}
duration: 2800ms
faults: # far apart, since a busy machine may be late with one
  - {at: 200ms, do: pull, cable: c1}
  - {at: 1000ms, do: plug, cable: c1}
expect: # the kernel may take a second to use a carrier that came back
  - {probe: out, lost: 2600, lost_min: 100, duplicates: 0}
  - {probe: in, lost: 2600, lost_min: 100, duplicates: 0}
  - {port: "a:p1", tx_min: 200, rx_min: 200}
`)
	if !r.OK {
		t.Error("an expectation was not met")
	}
}

func TestRelayLosesOneWayOnly(t *testing.T) {
	r := run(t, twoHosts+`
cables: {c1: {ends: ["a:p1", "b:p1"]}}
probes:
  out: {from: a, to: b}
  in: {from: b, to: a}
duration: 1300ms
faults:
  - {at: 200ms, do: lose, cable: c1, from: a}
  - {at: 900ms, do: heal, cable: c1}
  - {at: 1000ms, do: delay, cable: c1, delay: 3ms}
`)
	out, in := stream(t, r, "out"), stream(t, r, "in")
	if out.Lost < 50 || out.Duplicates != 0 {
		t.Errorf("out: %+v", out)
	}
	if in.Lost != 0 {
		t.Errorf("in: %+v", in)
	}
}

func TestRemovedCableComesBack(t *testing.T) {
	r := run(t, twoHosts+`
cables: {c1: {ends: ["a:p1", "b:p1"]}}
probes: {out: {from: a, to: b}}
duration: 3s
faults:
  - {at: 200ms, do: remove, cable: c1}
  - {at: 800ms, do: insert, cable: c1}
`)
	out := stream(t, r, "out")
	if out.Lost < 50 || out.Outages[1].Open {
		t.Errorf("out: %+v", out)
	}
}

// A host that speaks on both members of a group must not hear itself, and must get
// one copy of what is flooded.
func TestSwitchKnowsThePortGroup(t *testing.T) {
	r := run(t, `version: 1
name: group
hosts:
  a: {addresses: {p1: [10.0.0.1/24], p2: [10.0.1.1/24]}}
  b: {addresses: {eth0: [10.0.0.2/24, 10.0.1.2/24]}}
switches:
  s1: {kind: bridge, groups: {g: [c1, c2]}}
cables:
  c1: {ends: ["a:p1", s1]}
  c2: {ends: ["a:p2", s1]}
  c3: {ends: ["b:eth0", s1]}
probes: {out: {from: a, to: b}}
duration: 400ms
faults:
  - {at: 200ms, do: pull, cable: c2}
expect:
  - {probe: out, lost: 0, duplicates: 0}
  - {port: "a:p2", rx_max: 5}
`)
	if !r.OK {
		t.Error("an expectation was not met")
	}
}

func TestRelayDuplicatesReordersAndBoundsTheRate(t *testing.T) {
	r := run(t, twoHosts+`
cables: {c1: {ends: ["a:p1", "b:p1"]}}
probes:
  out: {from: a, to: b, size: 1000}
  in: {from: b, to: a, size: 1000}
duration: 2300ms
faults:
  - {at: 100ms, do: duplicate, cable: c1, percent: 50, from: a}
  - {at: 700ms, do: heal, cable: c1}
  - {at: 800ms, do: reorder, cable: c1, percent: 30, from: a}
  - {at: 1400ms, do: heal, cable: c1}
  - {at: 1500ms, do: rate, cable: c1, rate: 1, from: b}
expect:
  - {probe: out, lost: 0}
  - {probe: in, lost_min: 50, duplicates: 0, reordered: 0}
`)
	out := stream(t, r, "out")
	if out.Duplicates < 30 || out.Reordered < 10 {
		t.Errorf("out: %+v", out)
	}
	if !r.OK {
		t.Error("an expectation was not met")
	}
}
