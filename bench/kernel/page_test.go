package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func sample() *report {
	r := &report{Date: "2026-01-02", Kernel: "6.1", Version: "v1"}
	r.Rows = []row{
		{Part: partTransmit, By: byBare, Bare: 5000},
		{Part: partTransmit, By: byBonding, Mode: modeAB, Added: 520, Known: 517, Raw: figure{Instructions: 5520}},
		{Part: partTransmit, By: byExact, Mode: modeAB, Added: 1040, Goal: 850, Raw: figure{Instructions: 6040}},
		{Part: partUnguarded, By: byExact, Mode: modeAB, Added: 780, Goal: 850},
		{Part: partReceive, By: byExact, Mode: modeAB, Failed: "of 10 frames\nonly 9 arrived"},
	}
	for i := range r.Rows {
		r.Rows[i].judge()
	}
	compare(r.Rows)
	r.Latencies = []latency{{Part: partFailover + ", tap ports", By: byExact, Settings: "defaults", Median: 1.5, Worst: 2.5, Lost: 1}}
	return r
}

func TestTables(t *testing.T) {
	var out bytes.Buffer
	sample().tables(&out)
	for _, want := range []string{
		"| transmit | 5000 |",
		"| kernel bonding | active-backup | +520 | known 517 |",
		"| Yoke ebpf, exact | active-backup | +1040 (2.00) | 850, **missed** | failed |",
		"| +780 (1.50) | 850, met |",
		"| 1.50 | 2.50 | 1 |",
		"* receive of Yoke ebpf, exact, active-backup: of 10 frames only 9 arrived",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// What is published is what was measured, and the second run is compared with the first.
func TestPublish(t *testing.T) {
	fresh, kept := t.TempDir(), t.TempDir()
	page := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(page, []byte("before\n"+pageBegin+"\nold\n"+pageEnd+"\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := sample()
	for range 2 {
		if err := r.write(fresh); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := publish(fresh, kept, page, &out); err != nil {
			t.Fatal(err)
		}
		if r.Rows[1].Raw.Instructions == 5547.6 && !strings.Contains(out.String(), "kernel bonding, active-backup, differs by 0.50 %") {
			t.Errorf("the difference is not told:\n%s", out.String())
		}
		r.Rows[1].Raw.Instructions = 5547.6
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(text); !strings.HasPrefix(s, "before\n") || !strings.HasSuffix(s, "\nafter\n") || strings.Contains(s, "old") || !strings.Contains(s, "+1040") {
		t.Errorf("the page is\n%s", s)
	}
}

// The page of the project holds the tables of the results that are kept.
func TestThePageHoldsTheResults(t *testing.T) {
	rep, err := readReport(filepath.Join("..", "results", resultsName))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "performance.md"))
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	rep.tables(&want)
	if !strings.Contains(string(page), pageBegin+"\n"+want.String()+pageEnd) {
		t.Error("docs/performance.md holds other figures than bench/results: make bench-kernel")
	}
}
