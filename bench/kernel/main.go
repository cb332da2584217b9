package main

import (
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
	flag.Parse()
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
	rep := newReport()
	programs, err := copyPrograms(bin)
	if err != nil {
		return err
	}
	defer os.RemoveAll(programs)
	for part := range strings.SplitSeq(parts, ",") {
		rep.progress("%s", part)
		switch part {
		case "count":
			err = inWorld(programs, func(w *world) error { return countAll(w, rep, wanted) })
		case "failover":
			runtime.GOMAXPROCS(4) // who pulls must not wait for who sends
			err = failovers(programs, rep, wanted)
		case "lacp":
			lacpStarts(programs, rep, wanted)
		default:
			err = fmt.Errorf("there is no part %q", part)
		}
		if failed := rep.write(out); failed != nil || err != nil {
			return fmt.Errorf("%s: %w", part, firstOf(err, failed))
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

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
