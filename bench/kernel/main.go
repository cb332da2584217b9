package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
)

func main() {
	bin := flag.String("bin", "bin", "folder with yoke and yoked")
	out := flag.String("out", "build/bench", "folder for results")
	parts := flag.String("parts", "count,failover,lacp", "what to measure")
	only := flag.String("only", "", "only aggregates whose name and mode match this expression")
	fresh := flag.String("publish", "", "measure nothing; turn the results in this folder into the tables in -out and in -page")
	page := flag.String("page", "docs/performance.md", "the page with the tables")
	flag.Parse()
	if *fresh != "" {
		if err := publish(*fresh, *out, *page, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "bench-kernel:", err)
			os.Exit(1)
		}
		return
	}
	debug.SetGCPercent(-1) // a collection would be counted with the frames
	if err := run(*bin, *out, *parts, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench-kernel:", err)
		os.Exit(1)
	}
}

func run(bin, out, parts, only string) error {
	expression, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	wanted := func(s subject) bool { return expression.MatchString(s.by + ", " + s.mode) }
	rep := newReport(out)
	programs, err := copyPrograms(bin)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(programs) }() // in memory of a machine that ends
	for part := range strings.SplitSeq(parts, ",") {
		rep.progress("%s", part)
		switch part {
		case "count":
			err = inWorld(programs, func(w *world) error { return countAll(w, rep, wanted) })
		case "failover":
			runtime.GOMAXPROCS(4) // who pulls must not wait for who sends
			failovers(programs, rep, wanted)
		case "lacp":
			lacpStarts(programs, rep, wanted)
		default:
			err = fmt.Errorf("there is no part %q", part)
		}
		// What was measured is kept, also where the rest cannot be.
		if err := errors.Join(err, rep.write(out)); err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
	}
	return nil
}

func inWorld(programs string, do func(*world) error) error {
	w, err := newWorld(programs)
	if err != nil {
		return err
	}
	defer w.close()
	return do(w)
}
