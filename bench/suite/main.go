package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// settings are the flags.
type settings struct {
	only  string
	pairs int
	run   time.Duration
	pulls int
	many  int
	// starts are those of LACP, of each kind.
	starts int
	// lags are the aggregates of lacp1000, of two ports.
	lags int
	out  string
	bin  string
	// watched: the daemon has a watchdog, as its unit has.
	watched bool
}

// measurement is one part of the suite.
type measurement struct {
	name, text string
	run        func(context.Context, settings, *report) error
}

func measurements() []measurement {
	return []measurement{
		{"frames", "the added cost of a 64-byte frame on plane ebpf", measureFrames},
		{"tcp", "TCP through plane ebpf", measureTCP},
		{"user", "TCP through plane user and Open vSwitch's userspace bond", measureUser},
		{"programs", "the BPF programs' own cost a frame", measurePrograms},
		{"moves", "flows that move when a port goes and comes back", measureMoves},
		{"apply", "a file of many aggregates of which one has changed", measureApply},
		{"failover", "pulled cables, on veth and on tap ports", measureFailover},
		{"many", "many aggregates in one daemon", measureMany},
		{"machines", "the LACP machines of 1,000 ports, alone", measureMachines},
		{"million", "a million LACPDUs through the LACP machines", measureMillion},
		{"lacpstart", "LACP between two daemons, from link-up", measureStart},
		{"lacp1000", "a daemon with many LACP ports at fast rate", measureLACPMany},
		{"flood", "a flood of slow protocols on one port", measureFlood},
	}
}

func main() {
	var s settings
	var names []string
	for _, m := range measurements() {
		names = append(names, m.name)
	}
	flag.StringVar(&s.only, "only", strings.Join(names, ","), "which measurements to run")
	flag.IntVar(&s.pairs, "pairs", 5, "paired runs of each measurement of speed")
	flag.DurationVar(&s.run, "run", 2*time.Second, "length of one run")
	flag.IntVar(&s.pulls, "pulls", 500, "pulled cables of each kind")
	flag.IntVar(&s.many, "many", 500, "aggregates in one daemon")
	flag.IntVar(&s.starts, "starts", 100, "starts of LACP of each kind")
	flag.IntVar(&s.lags, "lags", 500, "LACP aggregates of two ports in one daemon")
	flag.StringVar(&s.out, "out", "build/bench", "folder for results")
	flag.StringVar(&s.bin, "bin", "bin", "folder with yoke and yoked")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // nothing that stop guards outlives the process
	}
}

func run(ctx context.Context, s settings) error {
	wanted := strings.Split(s.only, ",")
	rep := newReport()
	for _, m := range measurements() {
		if !slices.Contains(wanted, m.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "== %s: %s\n", m.name, m.text)
		// One that fails is a line of the table; the others still say something.
		if err := m.run(ctx, s, rep); err != nil {
			rep.add(row{Measure: m.name, Case: "failed", Note: err.Error()})
		}
		if ctx.Err() != nil {
			break
		}
	}
	rep.print(os.Stdout)
	return rep.write(s.out)
}
