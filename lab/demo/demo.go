package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/yokelag/yoke/lab"
)

//go:embed demo.yaml
var topology []byte

const (
	// rate is that of the probes: a frame every millisecond.
	rate = 1000
	// flows is the number of source ports of a probe.
	flows = 64
	// longest bounds a probe, should the demo hang.
	longest = 2 * time.Minute
	// quiet is the time after an event in which its cost shows.
	quiet = 250 * time.Millisecond
)

// Options are how the demo runs.
type Options struct {
	// Pulls is the number of pulled cables of each aggregate.
	Pulls int
	// Rounds is the number of throughput measurements of each link and direction.
	Rounds int
	// Lab is how the lab is built; Progress gets the guide's words.
	Lab lab.Options
}

// subject is an aggregate under test.
type subject struct {
	host, aggregate, address string
	cables                   []string
	result                   Aggregate
}

// guide runs the demo.
type guide struct {
	lab      *lab.Lab
	options  Options
	subjects []*subject
	out      io.Writer
}

// Run builds the lab, shows it, breaks it, and returns what was measured. When ctx ends
// everything is taken down at once.
func Run(ctx context.Context, o Options) (result *Result, err error) {
	began := time.Now()
	file, err := lab.Parse("demo", topology)
	if err != nil {
		return nil, err
	}
	if o.Lab.Progress == nil {
		o.Lab.Progress = io.Discard
	}
	g := &guide{options: o, out: o.Lab.Progress, subjects: []*subject{
		{host: "a", aggregate: "bond0", address: "10.77.0.1", cables: []string{"c1", "c2"}},
		{host: "x", aggregate: "bond1", address: "10.77.0.2", cables: []string{"c3", "c4"}},
	}}
	g.say("A small network of namespaces: nothing of this machine is touched.")
	if g.lab, err = lab.Build(ctx, file, o.Lab); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, g.lab.Close()) }()
	result = &Result{Version: 1}
	for _, step := range []func(context.Context, *Result) error{g.introduce, g.pulls, g.kill, g.throughput} {
		if err := step(ctx, result); err != nil {
			return nil, err
		}
	}
	for _, s := range g.subjects {
		result.Aggregates = append(result.Aggregates, s.result)
	}
	result.Took = time.Since(began)
	return result, nil
}

func (g *guide) say(format string, args ...any) { fmt.Fprintf(g.out, format+"\n", args...) }

func (g *guide) introduce(ctx context.Context, _ *Result) error {
	for _, s := range g.subjects {
		status, err := g.lab.Status(ctx, s.host, s.aggregate)
		if err != nil {
			return err
		}
		s.result.Name, s.result.Mode, s.result.Plane = s.aggregate, status.Mode, status.Plane
		s.result.Guard, s.result.OutlivesDaemon = status.Capability.Guard, status.Capability.OutlivesDaemon
		g.say("  host %-4s %s: %s on plane %s, ports p1 and p2", s.host, s.aggregate, status.Mode, status.Plane)
	}
	g.say("%s\n", g.lab.Picture())
	return nil
}

// probes are both directions of a subject.
type probes struct{ out, in *lab.Probing }

func (g *guide) start(s *subject) (probes, error) {
	out, err := g.lab.StartProbe(s.aggregate+" out", lab.Probe{
		From: s.host, To: "peer", Address: "10.77.0.4", Rate: rate, Size: 32, Flows: flows}, longest)
	if err != nil {
		return probes{}, err
	}
	in, err := g.lab.StartProbe(s.aggregate+" in", lab.Probe{
		From: "peer", To: s.host, Address: s.address, Rate: rate, Size: 32, Flows: flows}, longest)
	if err != nil {
		out.Stop(nil)
		return probes{}, err
	}
	return probes{out, in}, nil
}

func (p probes) stop(events []lab.FaultTime) (out, in lab.Stream) {
	return p.out.Stop(events), p.in.Stop(events)
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

func median(values []time.Duration) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
