package main

import (
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// An aggregate that nobody looks after is a row that says why and what to do, and claims
// nothing of its plan and of what its ports carry.
func TestUnseenAggregateIsARow(t *testing.T) {
	var out strings.Builder
	a := &app{out: &out, output: "text"}
	list := control.StatusList{Aggregates: []agg.Status{{Name: "bond0", Mode: "active-backup", Plane: "ebpf", Summary: "bond0: nobody looks after it",
		Ports:    []agg.PortStatus{{Name: "eth1"}, {Name: "eth2"}},
		Findings: []agg.Finding{{Code: "not-adopted", Severity: "error", Text: "nobody looks after it: no", Remedy: "`yoke down bond0` takes it apart"}}}}}
	if err := a.printStatuses(list, false); err != nil {
		t.Fatal(err)
	}
	const want = "bond0: nobody looks after it\n" +
		"  mode active-backup, plane ebpf, device absent\n" +
		"  ports, and nobody can say what they carry: eth1 eth2\n" +
		"  error: nobody looks after it: no; `yoke down bond0` takes it apart (not-adopted)\n"
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
}
