package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/version"
)

// resultsName is the file of results.
const resultsName = "kernel.json"

// report is everything that one run found.
type report struct {
	Date    string `json:"date"`
	Version string `json:"version"`
	Kernel  string `json:"kernel"`
	// Setup are the command lines before all rows.
	Setup []string `json:"setup"`
	Rows  []row    `json:"rows,omitempty"`
	// Latencies are in milliseconds of virtual time.
	Latencies []latency `json:"latencies,omitempty"`
	// dir is where the results are kept.
	dir string
}

func newReport(dir string) *report {
	r := &report{dir: dir, Date: time.Now().UTC().Format(time.DateOnly), Version: version.String()}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		r.Kernel = unix.ByteSliceToString(u.Release[:]) + ", " + unix.ByteSliceToString(u.Version[:])
	}
	return r
}

func (r *report) progress(format string, args ...any) { fmt.Printf("== "+format+"\n", args...) }

func (r *report) add(w row) {
	r.Rows = append(r.Rows, w)
	switch {
	case w.Failed != "":
		fmt.Printf("   %-28s failed: %s\n", w.Part, w.Failed)
	case w.By == byBare:
		fmt.Printf("   %-28s %8.0f instructions a frame\n", w.Part, w.Bare)
	default:
		fmt.Printf("   %-28s %+8.0f %s\n", w.Part, w.Added, strings.ReplaceAll(w.verdict(), "**", ""))
	}
}

func (r *report) addLatency(l latency) {
	r.Latencies = append(r.Latencies, l)
	r.keep()
	if l.Failed != "" {
		fmt.Printf("   %s: %s, %s failed: %s\n", l.Part, l.By, l.Settings, l.Failed)
		return
	}
	fmt.Printf("   %s: %s, %s: median %.2f ms, worst %.2f ms, lost %d\n", l.Part, l.By, l.Settings, l.Median, l.Worst, l.Lost)
}

// keep writes what there is so far, so that a machine that is stopped leaves it.
func (r *report) keep() {
	if err := r.write(r.dir); err != nil {
		fmt.Printf("   cannot keep the results: %v\n", err)
	}
}

// write keeps the results as JSON, one figure a line.
func (r *report) write(dir string) error {
	head := *r
	head.Rows, head.Latencies = nil, nil
	b, err := json.Marshal(head)
	if err != nil {
		return err
	}
	rows, err := listOf(r.Rows)
	if err != nil {
		return err
	}
	latencies, err := listOf(r.Latencies)
	if err != nil {
		return err
	}
	text := strings.TrimSuffix(string(b), "}") + ",\n\"rows\": " + rows + ",\n\"latencies\": " + latencies + "}\n"
	return errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, resultsName), []byte(text), 0o644))
}

// listOf is a JSON list with one element a line.
func listOf[T any](list []T) (string, error) {
	var lines []string
	for _, x := range list {
		b, err := json.Marshal(x)
		if err != nil {
			return "", err
		}
		lines = append(lines, string(b))
	}
	return "[\n" + strings.Join(lines, ",\n") + "\n]", nil
}
