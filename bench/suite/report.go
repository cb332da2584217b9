package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"text/tabwriter"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/version"
)

// row is one figure.
type row struct {
	Measure string  `json:"measure"`
	Case    string  `json:"case"`
	Value   float64 `json:"value"`
	Unit    string  `json:"unit"`
	// Goal is what the figure should be, empty where it is only for comparison.
	Goal string `json:"goal,omitempty"`
	Note string `json:"note,omitempty"`
}

// report is everything one run of the suite found.
type report struct {
	Version string `json:"version"`
	Kernel  string `json:"kernel"`
	CPUs    int    `json:"cpus"`
	Rows    []row  `json:"rows"`
}

func newReport() *report {
	return &report{Version: version.String(), Kernel: kernel(), CPUs: runtime.NumCPU()}
}

func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}

func (r *report) add(rows ...row) {
	r.Rows = append(r.Rows, rows...)
	for _, w := range rows {
		fmt.Fprintf(os.Stderr, "   %s, %s: %.2f %s %s\n", w.Measure, w.Case, w.Value, w.Unit, w.Note)
	}
}

func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "yoke %s, Linux %s, %d CPUs\n\n", r.Version, r.Kernel, r.CPUs)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "MEASURE\tCASE\tVALUE\tUNIT\tGOAL\tNOTE")
	for _, x := range r.Rows {
		fmt.Fprintf(t, "%s\t%s\t%.2f\t%s\t%s\t%s\n", x.Measure, x.Case, x.Value, x.Unit, x.Goal, x.Note)
	}
	_ = t.Flush() // a closed standard output; the JSON file has it all
}

func (r *report) write(dir string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "results.json"), append(b, '\n'), 0o644))
}

// median of a list that is not empty; the list is left as it is.
func median(list []float64) float64 { return quantile(list, 0.5) }

// quantile returns the value below which the fraction q of the list lies.
func quantile(list []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(list))
	return s[min(len(s)-1, int(q*float64(len(s))))]
}
