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

// settings are the flags of a measurement.
type settings struct {
	bin, out, parts, only string
	pulls, starts         int
}

func main() {
	var s settings
	flag.StringVar(&s.bin, "bin", "bin", "folder with yoke and yoked")
	flag.StringVar(&s.out, "out", "build/bench", "folder for results")
	flag.StringVar(&s.parts, "parts", "count,lacp,failover", "what to measure")
	flag.StringVar(&s.only, "only", "", "only aggregates whose name and mode match this expression")
	flag.IntVar(&s.pulls, "pulls", 9, "pulled cables for each figure")
	flag.IntVar(&s.starts, "starts", 5, "starts of LACP for each figure")
	fresh := flag.String("publish", "", "measure nothing; turn the results in this folder into the tables in -out and in -page")
	page := flag.String("page", "docs/performance.md", "the page with the tables")
	flag.Parse()
	debug.SetGCPercent(-1) // a collection would be counted with the frames
	err := error(nil)
	if *fresh != "" {
		err = publish(*fresh, s.out, *page, os.Stdout)
	} else {
		err = run(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-kernel:", err)
		os.Exit(1)
	}
}

func run(s settings) error {
	expression, err := regexp.Compile(s.only)
	if err != nil {
		return err
	}
	wanted := func(x subject) bool { return expression.MatchString(x.by + ", " + x.mode) }
	rep := newReport(s.out)
	programs, err := copyPrograms(s.bin)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(programs) }() // in memory of a machine that ends
	for part := range strings.SplitSeq(s.parts, ",") {
		rep.progress("%s", part)
		switch part {
		case "count":
			err = inWorld(programs, func(w *world) error { return countAll(w, rep, wanted) })
		case "lacp":
			lacpStarts(programs, rep, s.starts, wanted)
		case "failover":
			runtime.GOMAXPROCS(4) // who pulls must not wait for who sends
			failovers(programs, rep, s.pulls, wanted)
		default:
			err = fmt.Errorf("there is no part %q", part)
		}
		// What was measured is kept, also where the rest cannot be.
		if err := errors.Join(err, rep.write(s.out)); err != nil {
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
