package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// The lines of a page between which the tables are.
const (
	pageBegin = "<!-- figures, by make bench-kernel -->"
	pageEnd   = "<!-- end -->"
)

// publish turns fresh results into the tables in dir and in a page, and says how they
// differ from the results that were in dir.
func publish(fresh, dir, page string, w io.Writer) error {
	rep, err := readReport(filepath.Join(fresh, resultsName))
	if err != nil {
		return err
	}
	compare(rep.Rows)
	var tables bytes.Buffer
	rep.tables(&tables)
	if _, err := w.Write(tables.Bytes()); err != nil {
		return err
	}
	if before, err := readReport(filepath.Join(dir, resultsName)); err == nil {
		rep.sayDifference(before, w)
	}
	if err := rep.write(dir); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "kernel.md"), tables.Bytes(), 0o644); err != nil {
		return err
	}
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(text), pageBegin)
	_, tail, closed := strings.Cut(rest, pageEnd)
	if !ok || !closed {
		return fmt.Errorf("%s has no lines %q and %q to put the figures between", page, pageBegin, pageEnd)
	}
	return os.WriteFile(page, []byte(head+pageBegin+"\n"+tables.String()+pageEnd+tail), 0o644)
}

func readReport(name string) (*report, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	r := &report{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

// sayDifference compares the instructions of a whole frame, row by row.
func (r *report) sayDifference(before *report, w io.Writer) {
	worst, compared := 0.0, 0
	var which row
	for _, a := range r.Rows {
		b, ok := before.row(a.Part, a.By, a.Mode)
		if !ok || a.Failed != "" || b.Failed != "" || b.Raw.Instructions == 0 {
			continue
		}
		compared++
		if d := math.Abs(a.Raw.Instructions/b.Raw.Instructions - 1); d > worst {
			worst, which = d, a
		}
	}
	switch {
	case compared > 0 && worst == 0:
		fmt.Fprintf(w, "Beside the run of %s (%s): %d figures are the same.\n", before.Date, before.Version, compared)
	case compared > 0:
		fmt.Fprintf(w, "Beside the run of %s (%s): of %d figures the one that differs most, %s of %s, %s, differs by %.2f %%.\n",
			before.Date, before.Version, compared, which.Part, which.By, which.Mode, worst*100)
	}
}

func (r *report) row(part, by, mode string) (row, bool) {
	for _, x := range r.Rows {
		if x.Part == part && x.By == by && x.Mode == mode {
			return x, true
		}
	}
	return row{}, false
}

// tables writes all figures as Markdown.
func (r *report) tables(w io.Writer) {
	fmt.Fprintf(w, "\n%s, Linux %s, Yoke %s.\n", r.Date, r.Kernel, r.Version)
	r.bareTable(w)
	r.frameTable(w)
	r.wayTable(w)
	r.latencyTable(w)
	r.failures(w)
}

func (r *report) bareTable(w io.Writer) {
	fmt.Fprintf(w, "\nThe bare port, instructions a frame:\n\n| | |\n| --- | --- |\n")
	for _, x := range r.Rows {
		if x.By == byBare && x.Failed == "" {
			fmt.Fprintf(w, "| %s | %.0f |\n", x.Part, x.Bare)
		}
	}
}

// frameTable has a line for each aggregate in each mode.
func (r *report) frameTable(w io.Writer) {
	fmt.Fprint(w, "\nInstructions a frame above the bare port; in brackets the ratio to the bonding driver in the same mode; "+
		"\"known\" is what another program counted before:\n\n"+
		"| aggregate | mode | transmit | goal | receive | goal | receive broadcast | receive, NAPI ports |\n"+
		"| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	r.each(func(by, mode string) {
		tx, _ := r.row(partTransmit, by, mode)
		rx, _ := r.row(partReceive, by, mode)
		cast, _ := r.row(partBroadcast, by, mode)
		napi, _ := r.row(partNAPI, by, mode)
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", by, mode, tx.cell(), tx.verdict(), rx.cell(), rx.verdict(), cast.cell(), napi.cell())
	})
}

// wayTable has what only plane ebpf has.
func (r *report) wayTable(w io.Writer) {
	fmt.Fprint(w, "\nPlane ebpf, the same unit: without the guard on the ports, the guard alone, and with the aggregate in another namespace than its ports:\n\n"+
		"| aggregate | mode | transmit without guard | goal | guard alone | transmit from another namespace | goal | receive in another namespace | goal |\n"+
		"| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	r.each(func(by, mode string) {
		without, ok := r.row(partUnguarded, by, mode)
		if !ok {
			return
		}
		guard, _ := r.row(partGuard, by, mode)
		out, _ := r.row(partFromOther, by, mode)
		in, _ := r.row(partToOther, by, mode)
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", by, mode, without.cell(), without.verdict(), guard.cell(),
			out.cell(), out.verdict(), in.cell(), in.verdict())
	})
}

// each calls f for each aggregate in each mode, in the order of the run.
func (r *report) each(f func(by, mode string)) {
	seen := map[[2]string]bool{}
	for _, x := range r.Rows {
		if key := [2]string{x.By, x.Mode}; x.By != byBare && !seen[key] {
			seen[key] = true
			f(x.By, x.Mode)
		}
	}
}

// cell is the figure with its ratio.
func (r row) cell() string {
	switch {
	case r.Failed != "":
		return "failed"
	case r.Part == "":
		return ""
	case r.Ratio != 0 && r.By != byBonding:
		return fmt.Sprintf("%+.0f (%.2f)", r.Added, r.Ratio)
	default:
		return fmt.Sprintf("%+.0f", r.Added)
	}
}

// verdict is what the figure should be, and whether it is.
func (r row) verdict() string {
	switch {
	case r.Repeats != nil && *r.Repeats:
		return fmt.Sprintf("known %.0f", r.Known)
	case r.Repeats != nil:
		return fmt.Sprintf("known %.0f, **not repeated**", r.Known)
	case r.Met != nil && *r.Met:
		return fmt.Sprintf("%.0f, met", r.Goal)
	case r.Met != nil:
		return fmt.Sprintf("%.0f, **missed**", r.Goal)
	default:
		return ""
	}
}

func (r *report) latencyTable(w io.Writer) {
	if len(r.Latencies) == 0 {
		return
	}
	fmt.Fprint(w, "\nMilliseconds of the same machine's clock, on which an instruction takes 2 ns:\n\n"+
		"| what | aggregate | settings | times | median | worst | lost | goal, median / worst |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, l := range r.Latencies {
		if l.Failed != "" {
			fmt.Fprintf(w, "| %s | %s | %s | | failed | | | |\n", l.Part, l.By, l.Settings)
			continue
		}
		goal, lost := "", ""
		if l.Met != nil {
			goal = l.Goal + ", met"
			if !*l.Met {
				goal = l.Goal + ", **missed**"
			}
		}
		if strings.HasPrefix(l.Part, partFailover) {
			lost = fmt.Sprint(l.Lost)
		}
		fmt.Fprintf(w, "| %s | %s | %s | %d | %.2f | %.2f | %s | %s |\n", l.Part, l.By, l.Settings, len(l.All), l.Median, l.Worst, lost, goal)
	}
}

// failures tells why figures are missing.
func (r *report) failures(w io.Writer) {
	var lines []string
	for _, x := range r.Rows {
		if x.Failed != "" {
			lines = append(lines, fmt.Sprintf("* %s of %s, %s: %s", x.Part, x.By, x.Mode, oneLine(x.Failed)))
		}
	}
	for _, l := range r.Latencies {
		if l.Failed != "" {
			lines = append(lines, fmt.Sprintf("* %s, %s, %s: %s", l.Part, l.By, l.Settings, oneLine(l.Failed)))
		}
	}
	if len(lines) > 0 {
		fmt.Fprintf(w, "\nWithout a figure:\n\n%s\n", strings.Join(lines, "\n"))
	}
}

// oneLine is the beginning of an error, for a list.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 300 {
		text = text[:300] + "..."
	}
	return text
}
