package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/version"
)

// report is everything that one run found.
type report struct {
	Date    string `json:"date"`
	Version string `json:"version"`
	Kernel  string `json:"kernel"`
	// Setup are the command lines before all rows.
	Setup []string `json:"setup"`
	Rows  []row    `json:"rows"`
	// Latencies are in milliseconds of virtual time.
	Latencies []latency `json:"latencies"`
}

func newReport() *report {
	r := &report{Date: time.Now().UTC().Format(time.DateOnly), Version: version.String()}
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
	case w.By == "bare port":
		fmt.Printf("   %-28s %8.0f instructions a frame\n", w.Part, w.Bare)
	default:
		fmt.Printf("   %-28s %+8.0f %s\n", w.Part, w.Added, verdict(w))
	}
}

func (r *report) addLatency(l latency) {
	r.Latencies = append(r.Latencies, l)
	if l.Failed != "" {
		fmt.Printf("   %s: %s, %s failed: %s\n", l.Part, l.By, l.Settings, l.Failed)
		return
	}
	fmt.Printf("   %s: %s, %s: median %.2f ms, worst %.2f ms, lost %d\n", l.Part, l.By, l.Settings, l.Median, l.Worst, l.Lost)
}

// verdict is what is to be said of a figure, in short.
func verdict(w row) string {
	out := ""
	if w.Known != 0 {
		out = fmt.Sprintf("known %.0f", w.Known)
		if w.Repeats != nil && !*w.Repeats {
			out += ", NOT repeated"
		}
	}
	if w.Goal != 0 {
		out += fmt.Sprintf("goal %.0f", w.Goal)
		if w.Met != nil && !*w.Met {
			out += ", MISSED"
		}
	}
	return out
}

func (r *report) write(dir string) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "kernel.json"), append(b, '\n'), 0o644))
}
