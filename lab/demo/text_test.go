package demo

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/lab"
)

var update = flag.Bool("update", false, "rewrite testdata")

func TestTopologyParses(t *testing.T) {
	if _, err := lab.Parse("demo", topology); err != nil {
		t.Fatal(err)
	}
}

func TestTable(t *testing.T) {
	r := Result{
		Version: 1,
		Bare:    Throughput{To: 30e9, From: 20e9, Rounds: 3},
		Took:    41 * time.Second,
		Aggregates: []Aggregate{
			{
				Name: "bond0", Mode: "active-backup", Plane: "ebpf", Guard: true, OutlivesDaemon: true,
				Out:   Failover{Pulls: 8, Sent: 12000},
				In:    Failover{Pulls: 8, Median: 1200 * time.Microsecond, Worst: 3 * time.Millisecond, Lost: 9, Sent: 12000},
				Flows: &Flows{Seen: 64, OnPulled: 64, Moved: 64},
				Kill:  &Loss{}, DeadPull: &Loss{}, Restart: &Loss{}, NextPull: &Loss{In: lab.Outage{Lost: 2, Failover: 2 * time.Millisecond}},
				Throughput: Throughput{To: 30e9, From: 19e9, Rounds: 3},
			},
			{
				Name: "bond1", Mode: "balance-xor", Plane: "user",
				Out:  Failover{Pulls: 8, Median: 2 * time.Millisecond, Worst: 5 * time.Millisecond, Lost: 20, Sent: 12000},
				In:   Failover{Pulls: 8, Open: 1, Lost: 300, Sent: 12000},
				Kill: &Loss{Out: lab.Outage{Lost: 250, Open: true}}, Restart: &Loss{Out: lab.Outage{Lost: 6, Failover: 6 * time.Millisecond}, In: lab.Outage{Lost: 6, Failover: 6 * time.Millisecond}},
			},
		},
	}
	var out strings.Builder
	if err := r.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	const path = "testdata/table.txt"
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestMovedCountsFlowsSeenTwice(t *testing.T) {
	before := map[int]string{0: "c1", 1: "c2", 2: "c1", 3: "c2"}
	after := map[int]string{0: "c2", 1: "c2", 2: "c2"}
	if f := moved(before, after, "c1"); *f != (Flows{Seen: 3, OnPulled: 2, Moved: 2}) {
		t.Errorf("%+v", *f)
	}
	if f := moved(before, nil, "c1"); f != nil {
		t.Errorf("nothing was seen, and %+v counted", *f)
	}
}

func TestFailoverTakesPullsOnly(t *testing.T) {
	ms := time.Millisecond
	f := failover(lab.Stream{Sent: 100, Outages: []lab.Outage{
		{Lost: 1, Failover: ms}, {Lost: 1, Failover: 50 * ms}, {Lost: 3, Failover: 3 * ms}, {}, {Lost: 9, Open: true}, {},
	}})
	if f.Pulls != 3 || f.Median != 3*ms || f.Worst != 3*ms || f.Lost != 14 || f.Open != 1 {
		t.Errorf("%+v", f)
	}
}
